#ifndef QUN_DEPTH_TO_SPACE_H_
#define QUN_DEPTH_TO_SPACE_H_

#include "ap_int.h"
#include "hls_stream.h"
#include "nnet_common.h"

namespace qun {

// Each pixel becomes a block of CONFIG_T::rows times CONFIG_T::columns, its channels ordered by block row, block column
// and channel. One row is kept.
template <class data_T, class res_T, typename CONFIG_T>
void depth_to_space(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    data_T row[CONFIG_T::in_width];

Height:
    for (unsigned y = 0; y < CONFIG_T::out_height; y++) {
    Width:
        for (unsigned x = 0; x < CONFIG_T::out_width; x++) {
            #pragma HLS PIPELINE
            const unsigned i = y % CONFIG_T::rows, j = x % CONFIG_T::columns, column = x / CONFIG_T::columns;
            if (i == 0 && j == 0)
                row[column] = data.read();
            res_T result;
            PRAGMA_DATA_PACK(result)
        Channels:
            for (unsigned c = 0; c < res_T::size; c++) {
                #pragma HLS UNROLL
                result[c] = row[column][(i * CONFIG_T::columns + j) * res_T::size + c];
            }
            res.write(result);
        }
    }
}

} // namespace qun

#endif
