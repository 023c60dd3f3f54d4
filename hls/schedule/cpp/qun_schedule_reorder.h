// Rules of the layers that move pixels: padding, cropping, resizing, channels that become pixels.
#ifndef QUN_SCHEDULE_REORDER_H_
#define QUN_SCHEDULE_REORDER_H_

#include "qun_schedule.h"

#include <memory>
#include <utility>

namespace qun {

// `qun_rectangle.sv`: the beats of a frame, and which of them lie in a rectangle.
struct Rectangle {
    std::vector<Count> inner; // their places in the frame
    Count beats;              // of the frame
};

inline Rectangle rectangle(const Params &params, bool around) {
    const Count groups = params.at("Channels") / params.at("Lanes");
    const Count top = params.at("Top"), left = params.at("Left") * groups;
    const Count more_rows = top + params.at("Bottom"), more_beats = left + params.at("Right") * groups;
    const Count height = params.at("Height") - (around ? 0 : more_rows);
    const Count width = params.at("Width") * groups - (around ? 0 : more_beats);
    Rectangle found{{}, (height + more_rows) * (width + more_beats)};
    for (Count row = top; row < top + height; ++row)
        for (Count beat = left; beat < left + width; ++beat)
            found.inner.push_back(row * (width + more_beats) + beat);
    return found;
}

// `qun_pad.sv`: a register slice, and behind it the beats around the image, which wait for nothing but for the frame's
// first beat.
class Padding final : public Module {
  public:
    Padding(const Params &params, const Ports &inputs, const Ports &outputs)
        : source_(*inputs[0]), target_(*outputs[0]), frame_(rectangle(params, true)), room_(params.at("SliceBeats")) {}

    void advance() override {
        const auto &left = target_.moved;
        for (Count k = size(source_.moved); k < size(source_.offered); ++k) {
            if (k >= room_ && place(k - room_) >= size(left))
                return;
            cycle_ = std::max(source_.offered[k], cycle_ + 1);
            if (k >= room_)
                cycle_ = std::max(cycle_, left[place(k - room_)] + 1);
            source_.moved.push_back(cycle_);
            // This beat, what waits with it for the frame to begin, and what follows without waiting.
            const Count images = size(source_.moved), beats = size(frame_.inner);
            const Count end = images % beats == 0 ? images / beats * frame_.beats : place(images);
            target_.offered.resize(end, cycle_ + 1);
        }
    }

  private:
    Count place(Count beat) const {
        const Count beats = size(frame_.inner);
        return beat / beats * frame_.beats + frame_.inner[beat % beats];
    }

    Wire &source_, &target_;
    Rectangle frame_;
    Count room_;
    Cycle cycle_ = -1;
};

// `qun_crop.sv`: a register slice for the beats that are kept; the others wait for nothing.
class Cropping final : public Module {
  public:
    Cropping(const Params &params, const Ports &inputs, const Ports &outputs)
        : source_(*inputs[0]), target_(*outputs[0]), room_(params.at("SliceBeats")) {
        const Rectangle frame = rectangle(params, false);
        keeps_.assign(frame.beats, false);
        for (const Count place : frame.inner)
            keeps_[place] = true;
    }

    void advance() override {
        const auto &left = target_.moved;
        for (Count k = size(source_.moved); k < size(source_.offered); ++k) {
            const bool keep = keeps_[k % size_of(keeps_)];
            const Count beat = size(target_.offered);
            if (keep && beat >= room_ && size(left) <= beat - room_)
                return;
            cycle_ = std::max(source_.offered[k], cycle_ + 1);
            if (keep && beat >= room_)
                cycle_ = std::max(cycle_, left[beat - room_] + 1);
            source_.moved.push_back(cycle_);
            if (keep)
                target_.offered.push_back(cycle_ + 1);
        }
    }

  private:
    static Count size_of(const std::vector<bool> &flags) { return static_cast<Count>(flags.size()); }

    Wire &source_, &target_;
    std::vector<bool> keeps_;
    Count room_;
    Cycle cycle_ = -1;
};

// What is read of a memory, read by read, for one frame or line: the unit that must have come, counted from the first
// one of the frame, and whether a unit's place is free after it, in the units' order. A unit is some beats.
struct Script {
    std::vector<Count> needs;
    std::vector<bool> frees;
    Count units;
};

// A memory of `room` units, `stages` registers behind it, and a register slice. Each register takes a beat when it is
// empty, or when its own moves on.
class Replay final : public Module {
  public:
    Replay(const Params &params, Wire &source, Wire &target, Script script, Count beats, Count room)
        : source_(source), target_(target), script_(std::move(script)), beats_(beats), room_(room),
          slice_(params.at("SliceBeats")), steps_(params.at("Stages") + 1) {}

    void advance() override {
        while (write() | read() | pass()) {
        }
    }

  private:
    bool write() {
        auto &came = source_.moved;
        const Count end = std::min(size(source_.offered), (size(freed_) + room_) * beats_), before = size(came);
        for (Count k = before; k < end; ++k) {
            cycle_ = std::max(source_.offered[k], cycle_ + 1);
            if (k >= room_ * beats_)
                cycle_ = std::max(cycle_, freed_[k / beats_ - room_] + 1);
            came.push_back(cycle_);
        }
        return size(came) > before;
    }

    bool read() {
        auto &reads = steps_[0];
        const Count k = size(reads), length = size(script_.needs);
        const Count last = (k / length * script_.units + script_.needs[k % length] + 1) * beats_ - 1;
        if (last >= size(source_.moved) || size(steps_[1]) < k)
            return false;
        Cycle earliest = source_.moved[last] + 1;
        if (k > 0)
            earliest = std::max({earliest, reads.back() + 1, steps_[1].back()});
        reads.push_back(earliest);
        if (script_.frees[k % length])
            freed_.push_back(earliest);
        return true;
    }

    // Beats go from register to register, and from the last one to the slice.
    bool pass() {
        bool passed = false;
        const Count last = static_cast<Count>(steps_.size()) - 1;
        for (Count step = 1; step <= last; ++step) {
            auto &here = steps_[step];
            while (size(here) < size(steps_[step - 1])) {
                const Count k = size(here);
                Cycle earliest = steps_[step - 1][k] + 1;
                if (step < last) {
                    if (size(steps_[step + 1]) < k)
                        break;
                    if (k > 0)
                        earliest = std::max(earliest, steps_[step + 1][k - 1]);
                } else {
                    if (size(target_.moved) <= k - slice_)
                        break;
                    if (k > 0)
                        earliest = std::max(earliest, here.back() + 1);
                    if (k >= slice_)
                        earliest = std::max(earliest, target_.moved[k - slice_] + 1);
                    target_.offered.push_back(earliest + 1);
                }
                here.push_back(earliest);
                passed = true;
            }
        }
        return passed;
    }

    Wire &source_, &target_;
    Script script_;
    Count beats_, room_, slice_;
    std::vector<std::vector<Cycle>> steps_; // the reads, the moves from register to register, those to the slice
    std::vector<Cycle> freed_;              // when a unit's place was given up, in the units' order
    Cycle cycle_ = -1;
};

// `qun_resize_nearest.sv`, for one row, in pixels.
inline Script nearest_script(const Params &params) {
    const Count width = params.at("Width"), rows = params.at("RowFactor"), columns = params.at("ColumnFactor");
    const Count groups = params.at("Channels") / params.at("Lanes");
    Script script{{}, {}, width};
    for (Count pass = 0; pass < rows; ++pass)
        for (Count pixel = 0; pixel < width; ++pixel)
            for (Count beat = 0; beat < columns * groups; ++beat) {
                script.needs.push_back(pixel);
                script.frees.push_back(pass == rows - 1 && beat == columns * groups - 1);
            }
    return script;
}

// `qun_depth_to_space.sv`, for one row, in beats.
inline Script block_script(const Params &params) {
    const Count width = params.at("Width"), rows = params.at("BlockRows"), words = params.at("Words");
    Script script{{}, {}, width * rows * words};
    for (Count row = 0; row < rows; ++row)
        for (Count column = 0; column < width; ++column)
            for (Count word = 0; word < words; ++word)
                script.needs.push_back((column * rows + row) * words + word);
    script.frees.assign(script.needs.size(), true);
    return script;
}

// `qun_interpolate.sv`, for one line, in beats.
inline Script interpolate_script(Count items, Count beats) {
    Script script{{}, {}, items * beats};
    for (Count pass = 0; pass < 2 * items; ++pass) {
        const Count newer = std::min((pass + 1) / 2, items - 1);
        const bool frees = (pass > 1 && pass % 2 == 0) || pass == 2 * items - 1;
        for (Count beat = 0; beat < beats; ++beat) {
            script.needs.push_back(newer * beats + beat);
            script.frees.push_back(frees);
        }
    }
    return script;
}

// `qun_resize_bilinear.sv`: rows, then columns, or one of them.
class Bilinear final : public Module {
  public:
    Bilinear(const Params &params, const Ports &inputs, const Ports &outputs) {
        const Count groups = params.at("Channels") / params.at("Lanes"), row = params.at("Width") * groups;
        const bool rows = params.at("RowFactor") == 2, columns = params.at("ColumnFactor") == 2;
        if (rows)
            axes_.push_back(std::make_unique<Replay>(params, *inputs[0], columns ? middle_ : *outputs[0],
                                                     interpolate_script(params.at("Height"), row), 1,
                                                     params.at("FirstRoom")));
        if (columns)
            axes_.push_back(std::make_unique<Replay>(params, rows ? middle_ : *inputs[0], *outputs[0],
                                                     interpolate_script(params.at("Width"), groups), 1,
                                                     params.at("LastRoom")));
    }

    void advance() override {
        for (Count before = -1; before != known();) {
            before = known();
            for (const auto &axis : axes_)
                axis->advance();
        }
    }

  private:
    Count known() const { return size(middle_.offered) + size(middle_.moved); }

    Wire middle_;
    std::vector<std::unique_ptr<Replay>> axes_;
};

} // namespace qun

#endif
