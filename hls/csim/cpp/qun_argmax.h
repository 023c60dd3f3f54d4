#ifndef QUN_ARGMAX_H_
#define QUN_ARGMAX_H_

#include "ap_int.h"
#include "hls_stream.h"
#include "nnet_common.h"

namespace qun {

// The channel of the greatest value of each pixel, the first of equals.
template <class data_T, class res_T, typename CONFIG_T>
void argmax(hls::stream<data_T> &data, hls::stream<res_T> &res) {
Pixels:
    for (unsigned i = 0; i < CONFIG_T::n_in / data_T::size; i++) {
        #pragma HLS PIPELINE
        const data_T pixel = data.read();
        unsigned best = 0;
    Channels:
        for (unsigned c = 1; c < data_T::size; c++) {
            #pragma HLS UNROLL
            if (pixel[best] < pixel[c])
                best = c;
        }
        res_T result;
        PRAGMA_DATA_PACK(result)
        result[0] = best;
        res.write(result);
    }
}

} // namespace qun

#endif
