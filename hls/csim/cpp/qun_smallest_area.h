#ifndef QUN_SMALLEST_AREA_H_
#define QUN_SMALLEST_AREA_H_

#include "ap_int.h"
#include "hls_stream.h"
#include "nnet_common.h"

namespace qun {

// A mask that is empty where its foreground has fewer than CONFIG_T::area pixels: the frame waits until it is counted.
template <class data_T, class res_T, typename CONFIG_T>
void smallest_area(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    ap_uint<1> frame[CONFIG_T::n_in];
    unsigned count = 0;
Count:
    for (unsigned i = 0; i < CONFIG_T::n_in; i++) {
        #pragma HLS PIPELINE
        const data_T pixel = data.read();
        const bool foreground = pixel[0] != 0;
        frame[i] = foreground;
        count += foreground;
    }
Give:
    for (unsigned i = 0; i < CONFIG_T::n_in; i++) {
        #pragma HLS PIPELINE
        res_T result;
        PRAGMA_DATA_PACK(result)
        result[0] = count < CONFIG_T::area ? ap_uint<1>(0) : frame[i];
        res.write(result);
    }
}

} // namespace qun

#endif
