#ifndef QUN_DEPTHWISE_CONV2D_H_
#define QUN_DEPTHWISE_CONV2D_H_

#include "hls_stream.h"
#include "nnet_common.h"
#include "qun_valid_windows.h"

namespace qun {

// Convolution of each channel by itself, without padding, on streams of whole pixels in raster order. Weights are
// ordered (dy, dx, channel).
template <class data_T, class res_T, typename CONFIG_T>
void depthwise_conv2d(
    hls::stream<data_T> &data, hls::stream<res_T> &res,
    typename CONFIG_T::weight_t weights[CONFIG_T::kernel_height * CONFIG_T::kernel_width * data_T::size],
    typename CONFIG_T::bias_t biases[data_T::size]) {
    valid_windows<data_T, CONFIG_T>(data, [&](auto at) {
        res_T result;
        PRAGMA_DATA_PACK(result)
    Channels:
        for (unsigned c = 0; c < data_T::size; c++) {
            #pragma HLS UNROLL
            typename CONFIG_T::accum_t sum = biases[c];
            for (unsigned dy = 0; dy < CONFIG_T::kernel_height; dy++)
                for (unsigned dx = 0; dx < CONFIG_T::kernel_width; dx++)
                    sum += static_cast<typename CONFIG_T::accum_t>(
                        at(dy, dx)[c] * weights[(dy * CONFIG_T::kernel_width + dx) * data_T::size + c]);
            result[c] = sum;
        }
        res.write(result);
    });
}

} // namespace qun

#endif
