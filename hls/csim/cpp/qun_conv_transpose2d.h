#ifndef QUN_CONV_TRANSPOSE2D_H_
#define QUN_CONV_TRANSPOSE2D_H_

#include "hls_stream.h"
#include "nnet_common.h"

namespace qun {

// Transpose convolution, kernel 2x2, stride 2, on streams of whole pixels in raster order. Weights are ordered
// (dy, dx, channel in, channel out). One row of the input is kept for the second output row.
template <class data_T, class res_T, typename CONFIG_T>
void conv_transpose2d(
    hls::stream<data_T> &data, hls::stream<res_T> &res,
    typename CONFIG_T::weight_t weights[4 * CONFIG_T::n_chan * CONFIG_T::n_filt],
    typename CONFIG_T::bias_t biases[CONFIG_T::n_filt]) {
    data_T row[CONFIG_T::in_width];
    typename CONFIG_T::accum_t sum[CONFIG_T::n_filt];
    #pragma HLS ARRAY_PARTITION variable = sum complete

Height:
    for (unsigned y = 0; y < CONFIG_T::in_height; y++) {
    KernelHeight:
        for (unsigned dy = 0; dy < 2; dy++) {
        Width:
            for (unsigned x = 0; x < CONFIG_T::in_width; x++) {
                if (dy == 0)
                    row[x] = data.read();
                const data_T pixel = row[x];
            KernelWidth:
                for (unsigned dx = 0; dx < 2; dx++) {
                    const unsigned first = (dy * 2 + dx) * CONFIG_T::n_chan * CONFIG_T::n_filt;
                Bias:
                    for (unsigned f = 0; f < CONFIG_T::n_filt; f++) {
                        #pragma HLS UNROLL
                        sum[f] = biases[f];
                    }
                ChannelIn:
                    for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
                        #pragma HLS PIPELINE II = 1
                    ChannelOut:
                        for (unsigned f = 0; f < CONFIG_T::n_filt; f++) {
                            #pragma HLS UNROLL
                            sum[f] += static_cast<typename CONFIG_T::accum_t>(
                                pixel[c] * weights[first + c * CONFIG_T::n_filt + f]);
                        }
                    }
                    res_T result;
                    PRAGMA_DATA_PACK(result)
                Requantise:
                    for (unsigned f = 0; f < CONFIG_T::n_filt; f++) {
                        #pragma HLS UNROLL
                        result[f] = sum[f];
                    }
                    res.write(result);
                }
            }
        }
    }
}

} // namespace qun

#endif
