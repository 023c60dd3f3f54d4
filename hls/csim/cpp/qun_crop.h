#ifndef QUN_CROP_H_
#define QUN_CROP_H_

#include "ap_int.h"
#include "hls_stream.h"
#include "nnet_common.h"

namespace qun {

// The image without its first CONFIG_T::rows and CONFIG_T::columns, as large as the output.
template <class data_T, class res_T, typename CONFIG_T>
void crop(hls::stream<data_T> &data, hls::stream<res_T> &res) {
Height:
    for (unsigned y = 0; y < CONFIG_T::in_height; y++) {
    Width:
        for (unsigned x = 0; x < CONFIG_T::in_width; x++) {
            #pragma HLS PIPELINE
            const data_T pixel = data.read();
            // Rows and columns before those that are kept wrap around.
            if (y - CONFIG_T::rows >= CONFIG_T::out_height || x - CONFIG_T::columns >= CONFIG_T::out_width)
                continue;
            res_T result;
            PRAGMA_DATA_PACK(result)
        Channels:
            for (unsigned c = 0; c < res_T::size; c++) {
                #pragma HLS UNROLL
                result[c] = pixel[c];
            }
            res.write(result);
        }
    }
}

} // namespace qun

#endif
