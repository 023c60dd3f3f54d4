#ifndef QUN_PAD_H_
#define QUN_PAD_H_

#include "ap_int.h"
#include "hls_stream.h"
#include "nnet_common.h"

namespace qun {

// Pixels of one constant around the image: CONFIG_T::rows of them above it, CONFIG_T::columns left of it. CONFIG_T::value
// holds the bits of each of their channels.
template <class data_T, class res_T, typename CONFIG_T>
void pad(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    const int width = res_T::value_type::width;
    typename res_T::value_type constant;
    constant.range(width - 1, 0) = ap_uint<width>(CONFIG_T::value);

Height:
    for (unsigned y = 0; y < CONFIG_T::out_height; y++) {
    Width:
        for (unsigned x = 0; x < CONFIG_T::out_width; x++) {
            #pragma HLS PIPELINE
            // Rows and columns before the image wrap around, and are as much outside as those behind it.
            const bool inside = y - CONFIG_T::rows < CONFIG_T::in_height && x - CONFIG_T::columns < CONFIG_T::in_width;
            data_T pixel;
            if (inside)
                pixel = data.read();
            res_T result;
            PRAGMA_DATA_PACK(result)
        Channels:
            for (unsigned c = 0; c < res_T::size; c++) {
                #pragma HLS UNROLL
                if (inside)
                    result[c] = pixel[c];
                else
                    result[c] = constant;
            }
            res.write(result);
        }
    }
}

} // namespace qun

#endif
