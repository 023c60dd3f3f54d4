#ifndef QUN_RESIZE_BILINEAR_H_
#define QUN_RESIZE_BILINEAR_H_

#include "ap_int.h"
#include "hls_stream.h"
#include "nnet_common.h"

namespace qun {

// Twice the size along the axes of which CONFIG_T::rows or CONFIG_T::columns is 2, linear between the centres of pixels,
// edges repeated. Two rows are kept. A result has two fractional bits more than a pixel for each of these axes, so that
// a pixel weighs a quarter of an axis' sum, or three: the sum of four of these quarters is exact in the result's type.
template <class data_T, class res_T, typename CONFIG_T>
void resize_bilinear(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    typedef typename res_T::value_type sum_t;
    const unsigned height = CONFIG_T::in_height, width = CONFIG_T::in_width;
    const int drop = 2 * (CONFIG_T::rows + CONFIG_T::columns - 2);
    data_T rows[2][CONFIG_T::in_width];
    unsigned came = 0;

Height:
    for (unsigned y = 0; y < CONFIG_T::out_height; y++) {
        // The row that weighs three, and its neighbour; the same row where only columns double, or at an edge. The heavy
        // one is the light one, or was that of the output row above: it has come before.
        const unsigned heavy = y / CONFIG_T::rows;
        unsigned light = heavy;
        if (CONFIG_T::rows == 2)
            light = y % 2 == 0 ? (heavy > 0 ? heavy - 1 : 0) : (heavy + 1 < height ? heavy + 1 : heavy);
    Load:
        for (; came <= light; came++)
            for (unsigned x = 0; x < width; x++)
                rows[came % 2][x] = data.read();
    Width:
        for (unsigned x = 0; x < CONFIG_T::out_width; x++) {
            #pragma HLS PIPELINE
            const unsigned near = x / CONFIG_T::columns;
            unsigned far = near;
            if (CONFIG_T::columns == 2)
                far = x % 2 == 0 ? (near > 0 ? near - 1 : 0) : (near + 1 < width ? near + 1 : near);
            res_T result;
            PRAGMA_DATA_PACK(result)
        Channels:
            for (unsigned c = 0; c < res_T::size; c++) {
                #pragma HLS UNROLL
                sum_t sum[2];
                for (unsigned i = 0; i < 2; i++) {
                    const unsigned column = i == 0 ? near : far;
                    const sum_t one = sum_t(rows[heavy % 2][column][c]) >> drop;
                    const sum_t other = sum_t(rows[light % 2][column][c]) >> drop;
                    sum[i] = one;
                    if (CONFIG_T::rows == 2)
                        sum[i] = one + one + one + other;
                }
                result[c] = sum[0];
                if (CONFIG_T::columns == 2)
                    result[c] = sum[0] + sum[0] + sum[0] + sum[1];
            }
            res.write(result);
        }
    }
}

} // namespace qun

#endif
