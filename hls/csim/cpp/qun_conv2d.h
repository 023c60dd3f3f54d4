#ifndef QUN_CONV2D_H_
#define QUN_CONV2D_H_

#include "hls_stream.h"
#include "nnet_common.h"

namespace qun {

// One dimension of windows that lie inside the image. An output pixel of a convolution has every tap; one of a transpose
// convolution has those of its phase, the last of them on the first input pixel.
template <unsigned Kernel, unsigned Stride, unsigned Dilation, unsigned Crop, bool Transposed> struct window_axis {
    static unsigned taps(unsigned place) {
        return Transposed ? (Kernel - (place + Crop) % Stride + Stride - 1) / Stride : Kernel;
    }
    static unsigned first(unsigned place) {
        return Transposed ? (place + Crop) / Stride + 1 - taps(place) : place * Stride;
    }
    static unsigned pixel(unsigned place, unsigned tap) { return first(place) + tap * (Transposed ? 1 : Dilation); }
    static unsigned kernel(unsigned place, unsigned tap) {
        return Transposed ? (place + Crop) % Stride + Stride * (taps(place) - 1 - tap) : tap;
    }
};

// Convolution or transpose convolution on streams of whole pixels in raster order. Weights are ordered (dy, dx, channel in
// of the group, channel out). Each row of the input is kept until a later one takes its place.
template <class data_T, class res_T, typename CONFIG_T>
void conv2d(hls::stream<data_T> &data, hls::stream<res_T> &res,
            typename CONFIG_T::weight_t weights[CONFIG_T::filt_height * CONFIG_T::filt_width *
                                                (CONFIG_T::n_chan / CONFIG_T::groups) * CONFIG_T::n_filt],
            typename CONFIG_T::bias_t biases[CONFIG_T::n_filt]) {
    typedef window_axis<CONFIG_T::filt_height, CONFIG_T::stride_height, CONFIG_T::dilation_height,
                        CONFIG_T::crop_height, CONFIG_T::transposed>
        rows_t;
    typedef window_axis<CONFIG_T::filt_width, CONFIG_T::stride_width, CONFIG_T::dilation_width, CONFIG_T::crop_width,
                        CONFIG_T::transposed>
        columns_t;
    const unsigned kept = CONFIG_T::transposed ? CONFIG_T::filt_height
                                               : (CONFIG_T::filt_height - 1) * CONFIG_T::dilation_height + 1;
    const unsigned group_in = CONFIG_T::n_chan / CONFIG_T::groups, group_out = CONFIG_T::n_filt / CONFIG_T::groups;
    data_T rows[kept][CONFIG_T::in_width];
    typename CONFIG_T::accum_t sum[CONFIG_T::n_filt];
    #pragma HLS ARRAY_PARTITION variable = sum complete
    unsigned come = 0;

Height:
    for (unsigned y = 0; y <= CONFIG_T::out_height; y++) {
        // Behind the last output row comes what no window reads.
        const bool rest = y == CONFIG_T::out_height;
        const unsigned needed = rest ? CONFIG_T::in_height : rows_t::pixel(y, rows_t::taps(y) - 1) + 1;
    Rows:
        for (; come < needed; come++) {
        Pixels:
            for (unsigned x = 0; x < CONFIG_T::in_width; x++) {
                #pragma HLS PIPELINE II = 1
                rows[come % kept][x] = data.read();
            }
        }
    Width:
        for (unsigned x = 0; !rest && x < CONFIG_T::out_width; x++) {
        Bias:
            for (unsigned f = 0; f < CONFIG_T::n_filt; f++) {
                #pragma HLS UNROLL
                sum[f] = biases[f];
            }
        KernelHeight:
            for (unsigned i = 0; i < rows_t::taps(y); i++) {
            KernelWidth:
                for (unsigned j = 0; j < columns_t::taps(x); j++) {
                    const data_T pixel = rows[rows_t::pixel(y, i) % kept][columns_t::pixel(x, j)];
                    const unsigned tap = rows_t::kernel(y, i) * CONFIG_T::filt_width + columns_t::kernel(x, j);
                ChannelIn:
                    for (unsigned c = 0; c < group_in; c++) {
                        #pragma HLS PIPELINE II = 1
                    ChannelOut:
                        for (unsigned f = 0; f < CONFIG_T::n_filt; f++) {
                            #pragma HLS UNROLL
                            sum[f] += static_cast<typename CONFIG_T::accum_t>(
                                pixel[f / group_out * group_in + c] *
                                weights[(tap * group_in + c) * CONFIG_T::n_filt + f]);
                        }
                    }
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

} // namespace qun

#endif
