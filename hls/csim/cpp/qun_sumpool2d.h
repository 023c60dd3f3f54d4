#ifndef QUN_SUMPOOL2D_H_
#define QUN_SUMPOOL2D_H_

#include "hls_stream.h"
#include "nnet_common.h"
#include "qun_valid_windows.h"

namespace qun {

// Exact sum over windows of any geometry, on streams of whole pixels in raster order. The result has the bits of the
// sum; its type may say another scale, that of the mean.
template <class data_T, class res_T, typename CONFIG_T>
void sumpool2d(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    const int width = res_T::value_type::width;
    valid_windows<data_T, CONFIG_T>(data, [&](auto at) {
        res_T result;
        PRAGMA_DATA_PACK(result)
    Channels:
        for (unsigned c = 0; c < data_T::size; c++) {
            #pragma HLS UNROLL
            typename CONFIG_T::accum_t sum = 0;
            for (unsigned dy = 0; dy < CONFIG_T::kernel_height; dy++)
                for (unsigned dx = 0; dx < CONFIG_T::kernel_width; dx++)
                    sum += static_cast<typename CONFIG_T::accum_t>(at(dy, dx)[c]);
            result[c].range(width - 1, 0) = sum.range(width - 1, 0);
        }
        res.write(result);
    });
}

} // namespace qun

#endif
