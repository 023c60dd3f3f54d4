#ifndef QUN_MAXPOOL2D_H_
#define QUN_MAXPOOL2D_H_

#include "hls_stream.h"
#include "nnet_common.h"
#include "qun_valid_windows.h"

namespace qun {

// Maximum over windows of any geometry, on streams of whole pixels in raster order.
template <class data_T, class res_T, typename CONFIG_T>
void maxpool2d(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    valid_windows<data_T, CONFIG_T>(data, [&](auto at) {
        res_T result;
        PRAGMA_DATA_PACK(result)
    Channels:
        for (unsigned c = 0; c < data_T::size; c++) {
            #pragma HLS UNROLL
            typename data_T::value_type best = at(0, 0)[c];
            for (unsigned dy = 0; dy < CONFIG_T::kernel_height; dy++)
                for (unsigned dx = 0; dx < CONFIG_T::kernel_width; dx++)
                    if (at(dy, dx)[c] > best)
                        best = at(dy, dx)[c];
            result[c] = best;
        }
        res.write(result);
    });
}

} // namespace qun

#endif
