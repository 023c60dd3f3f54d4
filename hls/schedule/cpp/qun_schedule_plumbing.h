// Rules of the modules between the layers: FIFO, fork, width adapter, and the register slice in them.
#ifndef QUN_SCHEDULE_PLUMBING_H_
#define QUN_SCHEDULE_PLUMBING_H_

#include "qun_schedule.h"

#include <numeric>

namespace qun {

// A beat takes one cycle; there is room from the cycle after the one in which the beat `depth` before it left.
// `qun_requant.sv`, a register slice, and `qun_fifo.sv` where it is shallow.
class Buffer final : public Module {
  public:
    Buffer(const Ports &inputs, const Ports &outputs, Count depth)
        : source_(*inputs[0]), target_(*outputs[0]), depth_(depth) {}

    void advance() override {
        const auto &left = target_.moved;
        const Count end = std::min(size(source_.offered), size(left) + depth_);
        for (Count k = size(source_.moved); k < end; ++k) {
            cycle_ = std::max(source_.offered[k], cycle_ + 1);
            if (k >= depth_)
                cycle_ = std::max(cycle_, left[k - depth_] + 1);
            source_.moved.push_back(cycle_);
            target_.offered.push_back(cycle_ + 1);
        }
    }

  private:
    Wire &source_, &target_;
    Count depth_;
    Cycle cycle_ = -1;
};

// `qun_fifo.sv` where it is deep: a block memory with a prefetch behind it.
class DeepFifo final : public Module {
  public:
    DeepFifo(const Params &params, const Ports &inputs, const Ports &outputs)
        : source_(*inputs[0]), target_(*outputs[0]), depth_(params.at("Limit")), prefetch_(params.at("Prefetch")),
          read_latency_(params.at("ReadLatency")) {}

    void advance() override {
        auto &came = source_.moved;
        const auto &left = target_.moved;
        const Count writes = std::min(size(source_.offered), size(left) + depth_);
        for (Count k = size(came); k < writes; ++k) {
            cycle_ = std::max(source_.offered[k], cycle_ + 1);
            if (k >= depth_)
                cycle_ = std::max(cycle_, left[k - depth_] + 1);
            came.push_back(cycle_);
        }
        const Count reads = std::min(size(came), size(left) + prefetch_);
        for (Count k = size(target_.offered); k < reads; ++k) {
            read_ = std::max(came[k] + 1, read_ + 1);
            if (k >= prefetch_)
                read_ = std::max(read_, left[k - prefetch_] + 1);
            target_.offered.push_back(read_ + read_latency_);
        }
    }

  private:
    Wire &source_, &target_;
    Count depth_, prefetch_;
    Cycle read_latency_;
    Cycle cycle_ = -1, read_ = -1;
};

// `qun_fork.sv`: a register slice whose beat leaves when every reader has taken it.
class Fork final : public Module {
  public:
    Fork(const Params &params, const Ports &inputs, const Ports &outputs)
        : source_(*inputs[0]), outputs_(outputs), room_(params.at("SliceBeats")) {}

    void advance() override {
        for (Count before = -1; before != size(done_) + size(source_.moved) + size(outputs_[0]->offered);) {
            before = size(done_) + size(source_.moved) + size(outputs_[0]->offered);
            Count taken = size(outputs_[0]->moved);
            for (const Wire *output : outputs_)
                taken = std::min(taken, size(output->moved));
            for (Count k = size(done_); k < taken; ++k) {
                Cycle last = 0;
                for (const Wire *output : outputs_)
                    last = std::max(last, output->moved[k]);
                done_.push_back(last);
            }
            const Count end = std::min(size(source_.offered), size(done_) + room_);
            for (Count k = size(source_.moved); k < end; ++k) {
                cycle_ = std::max(source_.offered[k], cycle_ + 1);
                if (k >= room_)
                    cycle_ = std::max(cycle_, done_[k - room_] + 1);
                source_.moved.push_back(cycle_);
            }
            const Count offers = std::min(size(source_.moved), size(done_) + 1);
            for (Count k = size(outputs_[0]->offered); k < offers; ++k) {
                Cycle offered = source_.moved[k] + 1;
                if (k > 0)
                    offered = std::max(offered, done_[k - 1] + 1);
                for (Wire *output : outputs_)
                    output->offered.push_back(offered);
            }
        }
    }

  private:
    Wire &source_;
    Ports outputs_;
    Count room_;
    std::vector<Cycle> done_;
    Cycle cycle_ = -1;
};

// `qun_width_adapter.sv`, a narrow stream to a wide one: slice, collector, group. The last beat of a group needs the
// group register, and may follow in the same cycle.
class Widen final : public Module {
  public:
    Widen(const Params &params, const Ports &inputs, const Ports &outputs)
        : source_(*inputs[0]), target_(*outputs[0]), room_(params.at("SliceBeats")) {
        const Count group = std::lcm(params.at("InLanes"), params.at("OutLanes"));
        group_in_ = group / params.at("InLanes");
        group_out_ = group / params.at("OutLanes");
    }

    void advance() override {
        for (Count before = -1; before != size(source_.moved) + size(collected_);) {
            before = size(source_.moved) + size(collected_);
            const Count end = std::min(size(source_.offered), size(collected_) + room_);
            for (Count k = size(source_.moved); k < end; ++k) {
                cycle_ = std::max(source_.offered[k], cycle_ + 1);
                if (k >= room_)
                    cycle_ = std::max(cycle_, collected_[k - room_] + 1);
                source_.moved.push_back(cycle_);
            }
            for (Count k = size(collected_); k < size(source_.moved); ++k) {
                Cycle collect = source_.moved[k] + 1;
                if (k > 0)
                    collect = std::max(collect, collected_.back() + 1);
                const Count number = k / group_in_;
                if (k % group_in_ == group_in_ - 1) {
                    if (size(target_.moved) < number * group_out_)
                        break;
                    if (number > 0)
                        collect = std::max(collect, target_.moved[number * group_out_ - 1]);
                    target_.offered.insert(target_.offered.end(), group_out_, collect + 1);
                }
                collected_.push_back(collect);
            }
        }
    }

  private:
    Wire &source_, &target_;
    Count room_, group_in_, group_out_;
    std::vector<Cycle> collected_;
    Cycle cycle_ = -1;
};

// `qun_width_adapter.sv`, a wide stream to a narrow one: collector, group, slice.
class Narrow final : public Module {
  public:
    Narrow(const Params &params, const Ports &inputs, const Ports &outputs)
        : source_(*inputs[0]), target_(*outputs[0]), room_(params.at("SliceBeats")) {
        const Count group = std::lcm(params.at("InLanes"), params.at("OutLanes"));
        group_in_ = group / params.at("InLanes");
        group_out_ = group / params.at("OutLanes");
    }

    void advance() override {
        for (Count before = -1; before != size(source_.moved) + size(entered_);) {
            before = size(source_.moved) + size(entered_);
            for (Count k = size(source_.moved); k < size(source_.offered); ++k) {
                const Count number = k / group_in_;
                Cycle earliest = std::max(source_.offered[k], cycle_ + 1);
                if (k % group_in_ == group_in_ - 1) {
                    if (size(entered_) < number * group_out_)
                        break;
                    if (number > 0)
                        earliest = std::max(earliest, entered_[number * group_out_ - 1]);
                    loaded_.push_back(earliest);
                }
                cycle_ = earliest;
                source_.moved.push_back(cycle_);
            }
            const Count end = std::min(size(loaded_) * group_out_, size(target_.moved) + room_);
            for (Count k = size(entered_); k < end; ++k) {
                enter_ = std::max(loaded_[k / group_out_] + 1, enter_ + 1);
                if (k >= room_)
                    enter_ = std::max(enter_, target_.moved[k - room_] + 1);
                entered_.push_back(enter_);
                target_.offered.push_back(enter_ + 1);
            }
        }
    }

  private:
    Wire &source_, &target_;
    Count room_, group_in_, group_out_;
    std::vector<Cycle> entered_; // when beats go from the group register to the slice
    std::vector<Cycle> loaded_;
    Cycle cycle_ = -1, enter_ = -1;
};

} // namespace qun

#endif
