// Solves the schedule of a design: a description on standard input, cycles as JSON on standard output.
//
// Every module goes on until none of them can; one that got further wakes its neighbours. The modules have no choices
// that depend on time, so the order does not matter. `hls/schedule/exact.py` writes the description.
#include "qun_schedule.h"
#include "qun_schedule_constant.h"
#include "qun_schedule_layers.h"
#include "qun_schedule_plumbing.h"
#include "qun_schedule_reorder.h"

#include <deque>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

namespace qun {

// The reader behind the design, always ready.
class Sink final : public Module {
  public:
    explicit Sink(Wire &wire) : wire_(wire) {}

    void advance() override {
        for (Count k = size(wire_.moved); k < size(wire_.offered); ++k) {
            cycle_ = std::max(wire_.offered[k], cycle_ + 1);
            wire_.moved.push_back(cycle_);
        }
    }

  private:
    Wire &wire_;
    Cycle cycle_ = -1;
};

using Maker = std::unique_ptr<Module> (*)(const Params &, const Ports &, const Ports &);

template <typename T> std::unique_ptr<Module> of(const Params &params, const Ports &inputs, const Ports &outputs) {
    return std::make_unique<T>(params, inputs, outputs);
}

Count folds(const Params &params, const char *channels, const char *lanes) {
    return params.at(channels) / params.at(lanes);
}

// The rules by name. A module's sheet, `hls/modules/<stem>.py`, says which is its own, and what the rule is given.
const std::map<std::string, Maker> &rules() {
    static const std::map<std::string, Maker> made{
        {"bilinear", of<Bilinear>},
        {"blocks",
         [](const Params &params, const Ports &inputs, const Ports &outputs) -> std::unique_ptr<Module> {
             if (params.at("Room") == 0)
                 return std::make_unique<Buffer>(inputs, outputs, params.at("SliceBeats"));
             return std::make_unique<Replay>(params, *inputs[0], *outputs[0], block_script(params), 1,
                                             params.at("Room"));
         }},
        {"concat_in_turn", of<Concat>},
        {"constant",
         [](const Params &params, const Ports &inputs, const Ports &outputs) -> std::unique_ptr<Module> {
             if (params.at("Kernel") == 1)
                 return std::make_unique<ConstantPoint>(params, inputs, outputs);
             return std::make_unique<ConstantWindow>(params, inputs, outputs);
         }},
        {"crop", of<Cropping>},
        {"fifo",
         [](const Params &params, const Ports &inputs, const Ports &outputs) -> std::unique_ptr<Module> {
             if (params.at("Depth") <= params.at("Shallow"))
                 return std::make_unique<Buffer>(inputs, outputs, params.at("Limit"));
             return std::make_unique<DeepFifo>(params, inputs, outputs);
         }},
        {"fork", of<Fork>},
        {"gated",
         [](const Params &params, const Ports &inputs, const Ports &outputs) -> std::unique_ptr<Module> {
             return std::make_unique<Together>(params, inputs, outputs, params.at("Groups"));
         }},
        {"last_group",
         [](const Params &params, const Ports &inputs, const Ports &outputs) -> std::unique_ptr<Module> {
             std::vector<bool> makes(params.at("Groups"), false);
             makes.back() = true;
             return std::make_unique<Rigid>(inputs, outputs, makes, params.at("Stages"));
         }},
        {"nearest",
         [](const Params &params, const Ports &inputs, const Ports &outputs) -> std::unique_ptr<Module> {
             return std::make_unique<Replay>(params, *inputs[0], *outputs[0], nearest_script(params),
                                             folds(params, "Channels", "Lanes"), params.at("Room"));
         }},
        {"pad", of<Padding>},
        {"pipeline",
         [](const Params &params, const Ports &inputs, const Ports &outputs) -> std::unique_ptr<Module> {
             return std::make_unique<Rigid>(inputs, outputs, std::vector<bool>{true}, params.at("Stages"));
         }},
        {"pooled",
         [](const Params &params, const Ports &inputs, const Ports &outputs) -> std::unique_ptr<Module> {
             return std::make_unique<Rigid>(inputs, outputs, pooled_beats(params), params.at("Stages"));
         }},
        {"repeat",
         [](const Params &params, const Ports &inputs, const Ports &outputs) -> std::unique_ptr<Module> {
             return std::make_unique<Matrix>(params, inputs, outputs, repeat_firings(params),
                                             folds(params, "InChannels", "Simd"),
                                             2 * folds(params, "OutChannels", "Pe"), params.at("Room"));
         }},
        {"slice",
         [](const Params &params, const Ports &inputs, const Ports &outputs) -> std::unique_ptr<Module> {
             return std::make_unique<Buffer>(inputs, outputs, params.at("SliceBeats"));
         }},
        {"together",
         [](const Params &params, const Ports &inputs, const Ports &outputs) -> std::unique_ptr<Module> {
             return std::make_unique<Together>(params, inputs, outputs, 1);
         }},
        {"valid_window",
         [](const Params &params, const Ports &inputs, const Ports &outputs) -> std::unique_ptr<Module> {
             return std::make_unique<Matrix>(params, inputs, outputs, valid_window_firings(params),
                                             params.at("InFolds"), params.at("OutFolds"), params.at("RingPixels"));
         }},
        {"whole_frame", of<WholeFrame>},
        {"whole_image",
         [](const Params &params, const Ports &inputs, const Ports &outputs) -> std::unique_ptr<Module> {
             return std::make_unique<Rigid>(inputs, outputs, last_beats(params), params.at("Stages"));
         }},
        {"width_adapter",
         [](const Params &params, const Ports &inputs, const Ports &outputs) -> std::unique_ptr<Module> {
             if (params.at("InLanes") < params.at("OutLanes"))
                 return std::make_unique<Widen>(params, inputs, outputs);
             return std::make_unique<Narrow>(params, inputs, outputs);
         }},
        {"window",
         [](const Params &params, const Ports &inputs, const Ports &outputs) -> std::unique_ptr<Module> {
             return std::make_unique<Matrix>(params, inputs, outputs, window_firings(params),
                                             folds(params, "InChannels", "Simd"), folds(params, "OutChannels", "Pe"),
                                             params.at("Room"));
         }},
    };
    return made;
}

std::unique_ptr<Module> make(const std::string &rule, const Params &params, const Ports &inputs, const Ports &outputs) {
    const auto found = rules().find(rule);
    if (found == rules().end())
        throw std::runtime_error("there is no rule " + rule);
    return found->second(params, inputs, outputs);
}

struct Instance {
    std::string rule;
    Ports inputs, outputs;
    std::unique_ptr<Module> module;
    std::vector<std::size_t> neighbours;
    Count known = -1;
};

void solve(std::vector<Instance> &instances) {
    std::map<const Wire *, std::vector<std::size_t>> ends;
    for (std::size_t i = 0; i < instances.size(); ++i)
        for (const auto *ports : {&instances[i].inputs, &instances[i].outputs})
            for (const Wire *wire : *ports)
                ends[wire].push_back(i);
    for (std::size_t i = 0; i < instances.size(); ++i)
        for (const auto *ports : {&instances[i].inputs, &instances[i].outputs})
            for (const Wire *wire : *ports)
                for (const std::size_t other : ends[wire])
                    if (other != i)
                        instances[i].neighbours.push_back(other);
    std::deque<std::size_t> waiting;
    std::vector<bool> queued(instances.size(), true);
    for (std::size_t i = 0; i < instances.size(); ++i)
        waiting.push_back(i);
    while (!waiting.empty()) {
        Instance &instance = instances[waiting.front()];
        queued[waiting.front()] = false;
        waiting.pop_front();
        instance.module->advance();
        Count count = 0;
        for (const auto *ports : {&instance.inputs, &instance.outputs})
            for (const Wire *wire : *ports)
                count += size(wire->offered) + size(wire->moved);
        if (count == instance.known)
            continue;
        instance.known = count;
        for (const std::size_t other : instance.neighbours)
            if (!queued[other]) {
                queued[other] = true;
                waiting.push_back(other);
            }
    }
}

// The highest number of beats that have come and not left.
Count highest(const Wire &source, const Wire &target) {
    Count most = 0, left = 0;
    for (Count k = 0; k < size(source.moved); ++k) {
        while (left < size(target.moved) && target.moved[left] <= source.moved[k])
            ++left;
        most = std::max(most, k + 1 - left);
    }
    return most;
}

template <typename T> void write(const char *name, const std::vector<T> &values) {
    std::cout << '"' << name << "\": [";
    for (std::size_t i = 0; i < values.size(); ++i)
        std::cout << (i ? ", " : "") << values[i];
    std::cout << ']';
}

Count read() {
    Count value = 0;
    if (!(std::cin >> value))
        throw std::runtime_error("the description ends too early");
    return value;
}

std::string word() {
    std::string text;
    if (!(std::cin >> text))
        throw std::runtime_error("the description ends too early");
    return text;
}

Ports ports(std::vector<Wire> &wires) {
    Ports found(read());
    for (Wire *&wire : found)
        wire = &wires.at(read());
    return found;
}

void run() {
    const Count frames = read(), pace = read();
    std::vector<Wire> wires(read());
    for (Wire &wire : wires) {
        wire.beats = read() * frames;
        wire.offered.reserve(wire.beats);
        wire.moved.reserve(wire.beats);
    }
    Wire &source = wires.at(read()), &sink = wires.at(read());
    std::vector<Instance> instances(read());
    for (Instance &instance : instances) {
        instance.rule = word();
        instance.inputs = ports(wires);
        instance.outputs = ports(wires);
        Params params;
        for (Count left = read(); left > 0; --left) {
            const std::string name = word();
            params[name] = read();
        }
        instance.module = make(instance.rule, params, instance.inputs, instance.outputs);
    }
    for (Count k = 0; k < source.beats; ++k)
        source.offered.push_back(k * pace / (source.beats / frames));
    instances.push_back({"sink", {&sink}, {}, std::make_unique<Sink>(sink), {}});
    solve(instances);

    const Cycle begin = source.moved.at(0) - 1;
    std::vector<Count> ends, fills, stuck;
    for (Count k = sink.beats / frames - 1; k < size(sink.moved); k += sink.beats / frames)
        ends.push_back(sink.moved[k] - begin);
    for (const Instance &instance : instances)
        if (instance.rule == "fifo")
            fills.push_back(highest(*instance.inputs[0], *instance.outputs[0]));
    if (size(sink.moved) < sink.beats)
        for (std::size_t i = 0; i < wires.size(); ++i)
            if (wires[i].offered.size() > wires[i].moved.size())
                stuck.push_back(static_cast<Count>(i));
    std::cout << "{\"first_output\": " << (sink.moved.empty() ? 0 : sink.moved[0] - begin) << ", ";
    write("frame_ends", ends);
    std::cout << ", ";
    write("highest", fills);
    std::cout << ", ";
    write("stuck", stuck);
    std::cout << "}\n";
}

} // namespace qun

// Without arguments it solves what stands on the standard input; with `--rules` it lists the rules.
int main(int count, char **words) {
    try {
        if (count == 2 && std::string(words[1]) == "--rules")
            for (const auto &[name, maker] : qun::rules())
                std::cout << name << '\n';
        else
            qun::run();
    } catch (const std::exception &error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
    return 0;
}
