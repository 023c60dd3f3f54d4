#ifndef QUN_CSIM_H_
#define QUN_CSIM_H_

// C simulation of one hls4ml project as a program: integer codes in, integer codes out, no float in between.
//
//     csim WEIGHTS_DIR FRAMES INPUT... OUTPUT
//
// Each file holds little-endian int64 codes, (frame, height, width, channel). The frames run one after the other through
// one instance. Whatever is left in an input stream is an error; the output file holds all that came out.
// setBits and V are members of the simulation model of the ap_types.

#include "ap_fixed.h"
#include "ap_int.h"
#include "hls_stream.h"
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <pthread.h>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace qun {

[[noreturn]] inline void fail(const std::string &what) {
    std::cerr << what << std::endl;
    std::exit(1);
}

// The beats of one frame; the file is read to its end at the last frame.
template <class T> void push(hls::stream<T> &stream, const std::vector<int64_t> &codes, size_t frame, size_t frames) {
    const size_t values = codes.size() / frames;
    if (values * frames != codes.size() || values % T::size != 0)
        fail("an input file does not hold whole frames");
    for (size_t i = frame * values; i < (frame + 1) * values; i += T::size) {
        T beat;
        for (size_t j = 0; j < T::size; j++)
            beat[j].setBits(static_cast<uint64_t>(codes[i + j]));
        stream.write(beat);
    }
}

template <class T> void pop_all(hls::stream<T> &stream, std::vector<int64_t> &codes) {
    while (!stream.empty()) {
        const T beat = stream.read();
        for (size_t j = 0; j < T::size; j++)
            codes.push_back(static_cast<int64_t>(beat[j].V.get_VAL()));
    }
}

inline std::vector<int64_t> load(const char *path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file)
        fail(std::string("cannot read ") + path);
    std::vector<int64_t> codes(static_cast<size_t>(file.tellg()) / sizeof(int64_t));
    file.seekg(0);
    file.read(reinterpret_cast<char *>(codes.data()), static_cast<std::streamsize>(codes.size() * sizeof(int64_t)));
    return codes;
}

inline void store(const char *path, const std::vector<int64_t> &codes) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char *>(codes.data()), static_cast<std::streamsize>(codes.size() * sizeof(int64_t)));
    if (!file)
        fail(std::string("cannot write ") + path);
}

template <class... S, size_t... I>
int run(void (*top)(hls::stream<S> &...), std::index_sequence<I...>, int argc, char **argv) {
    const size_t n_inputs = sizeof...(I);
    if (argc != static_cast<int>(n_inputs) + 4)
        fail("usage: csim WEIGHTS_DIR FRAMES INPUT... OUTPUT");
    qun_weights_dir = argv[1];
    const size_t frames = std::strtoul(argv[2], nullptr, 10);
    const std::vector<int64_t> inputs[n_inputs] = {load(argv[3 + I])...};
    std::vector<int64_t> output;
    std::tuple<hls::stream<S>...> streams;
    for (size_t frame = 0; frame < frames; frame++) {
        (push(std::get<I>(streams), inputs[I], frame, frames), ...);
        std::apply(top, streams);
        if ((!std::get<I>(streams).empty() || ...))
            fail("beats are left in an input stream");
        pop_all(std::get<n_inputs>(streams), output);
    }
    store(argv[n_inputs + 3], output);
    return 0;
}

template <class... S> int run(void (*top)(hls::stream<S> &...), int argc, char **argv) {
    return run(top, std::make_index_sequence<sizeof...(S) - 1>(), argc, argv);
}

// hls4ml keeps whole layers on the stack: run in a thread with a large one, of which only what is used costs memory.
template <class... S> int main_with_stack(void (*top)(hls::stream<S> &...), int argc, char **argv) {
    struct Call {
        void (*top)(hls::stream<S> &...);
        int argc;
        char **argv;
        int result;
    } call = {top, argc, argv, 1};
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, size_t(512) << 20);
    pthread_t thread;
    const auto body = [](void *argument) -> void * {
        Call &call = *static_cast<Call *>(argument);
        call.result = run(call.top, call.argc, call.argv);
        return nullptr;
    };
    if (pthread_create(&thread, &attributes, body, &call) != 0)
        fail("cannot start a thread with a stack of 512 MiB");
    pthread_join(thread, nullptr);
    return call.result;
}

} // namespace qun

#endif
