#ifndef QUN_RESIZE_NEAREST_H_
#define QUN_RESIZE_NEAREST_H_

#include "ap_int.h"
#include "hls_stream.h"
#include "nnet_common.h"

namespace qun {

// Each pixel repeated, CONFIG_T::columns times in its row and CONFIG_T::rows times as a row. One row is kept.
template <class data_T, class res_T, typename CONFIG_T>
void resize_nearest(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    data_T row[CONFIG_T::in_width];

Height:
    for (unsigned y = 0; y < CONFIG_T::out_height; y++) {
    Width:
        for (unsigned x = 0; x < CONFIG_T::out_width; x++) {
            #pragma HLS PIPELINE
            const unsigned column = x / CONFIG_T::columns;
            if (y % CONFIG_T::rows == 0 && x % CONFIG_T::columns == 0)
                row[column] = data.read();
            res_T result;
            PRAGMA_DATA_PACK(result)
        Channels:
            for (unsigned c = 0; c < res_T::size; c++) {
                #pragma HLS UNROLL
                result[c] = row[column][c];
            }
            res.write(result);
        }
    }
}

} // namespace qun

#endif
