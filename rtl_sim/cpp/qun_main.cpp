// The main loop of a simulation: Verilator's model, cocotb through VPI, time in between.
//
// It follows the loop that comes with cocotb. What is added is +free_run=<slots>, for benches whose streams stand in HDL
// and that need Python at their end only: the clock, the top's port `clk`, is then driven from here, and so many time
// slots, half clock periods, pass between two looks at VPI. A change is seen late by less than that; nothing else differs.
#include <algorithm>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "Vtop.h"
#include "verilated.h"
#include "verilated_vpi.h"

#if VM_TRACE
#include "verilated_vcd_c.h"
#endif

#if VM_COVERAGE
#include "verilated_cov.h"
#endif

extern "C" void vlog_startup_routines_bootstrap(void);

namespace {

constexpr uint64_t NEVER = ~uint64_t{0};
constexpr uint64_t HALF_PERIOD = 5;

uint64_t now = 0;

void settle_value_callbacks() {
    while (VerilatedVpi::callValueCbs()) {
    }
}

uint64_t next_slot_of_model(Vtop &top) { return top.eventsPending() ? top.nextTimeSlot() : NEVER; }

// Whether cocotb waits for anything. It does not where Python could not be started: nothing would end such a simulation.
bool somebody_waits() {
    return VerilatedVpi::cbNextDeadline() != NEVER || VerilatedVpi::hasCbs(cbValueChange) ||
           VerilatedVpi::hasCbs(cbReadWriteSynch) || VerilatedVpi::hasCbs(cbReadOnlySynch) ||
           VerilatedVpi::hasCbs(cbNextSimTime);
}

template <class Top> void toggle_clock(Top &top) {
    if constexpr (requires { top.clk; }) top.clk = !top.clk;
}

void run_freely(Vtop &top, uint64_t slots) {
    for (uint64_t slot = 1; slot < slots && !Verilated::gotFinish(); ++slot) {
        now += HALF_PERIOD;
        toggle_clock(top);
        top.eval_step();
    }
}

void time_slot(Vtop &top) {
    do {
        do {
            top.eval_step();
            VerilatedVpi::clearEvalNeeded();
            VerilatedVpi::doInertialPuts();
            settle_value_callbacks();
        } while (VerilatedVpi::evalNeeded());
        VerilatedVpi::callCbs(cbReadWriteSynch);
        VerilatedVpi::doInertialPuts();
        settle_value_callbacks();
    } while (VerilatedVpi::evalNeeded());
    top.eval_end_step();
    VerilatedVpi::callCbs(cbReadOnlySynch);
}

// What follows an option such as "+free_run=" on the command line; null where it is not there.
const char *value_of(int argc, char **argv, const char *option) {
    const size_t length = std::strlen(option);
    for (int i = 1; i < argc; ++i) {
        if (std::strncmp(argv[i], option, length) == 0) return argv[i] + length;
    }
    return nullptr;
}

uint64_t free_run_slots(int argc, char **argv) {
    const char *slots = value_of(argc, argv, "+free_run=");
    return slots ? std::strtoull(slots, nullptr, 10) : 0;
}

#if VM_COVERAGE
void write_coverage(int argc, char **argv) {
    if (const char *file = value_of(argc, argv, "+coverage=")) Verilated::threadContextp()->coveragep()->write(file);
}
#endif

#if VM_TRACE
std::string trace_file(int argc, char **argv) {
    for (int i = 1; i + 1 < argc; ++i) {
        if (std::strcmp(argv[i], "--trace-file") == 0) return argv[i + 1];
    }
    return "";
}
#endif

} // namespace

double sc_time_stamp() { return static_cast<double>(now); }

int main(int argc, char **argv) {
    Verilated::commandArgs(argc, argv);
    Verilated::errorLimit(INT_MAX);    // a failed assertion is told, and the simulation goes on
    Verilated::fatalOnVpiError(false); // an unknown system task is an error of the bench, not of VPI
    auto top = std::make_unique<Vtop>("");
    uint64_t slots = free_run_slots(argc, argv);
    const bool drives_clock = slots > 0;
#if VM_TRACE
    std::unique_ptr<VerilatedVcdC> trace;
    Verilated::traceEverOn(true);
    if (const std::string file = trace_file(argc, argv); !file.empty()) {
        trace = std::make_unique<VerilatedVcdC>();
        top->trace(trace.get(), 99);
        trace->open(file.c_str());
    }
    slots = 0; // a waveform has every time slot
#endif

    vlog_startup_routines_bootstrap();
    Verilated::addExitCb([](void *) { VerilatedVpi::callCbs(cbEndOfSimulation); }, nullptr);
    VerilatedVpi::callCbs(cbStartOfSimulation);
    settle_value_callbacks();

    while (!Verilated::gotFinish()) {
        time_slot(*top);
#if VM_TRACE
        if (trace) trace->dump(now);
#endif
        if (drives_clock) {
            if (!somebody_waits()) break;
            run_freely(*top, slots);
            now += HALF_PERIOD;
            toggle_clock(*top);
        } else {
            const uint64_t next = std::min<uint64_t>(VerilatedVpi::cbNextDeadline(), next_slot_of_model(*top));
            if (next == NEVER) break;
            now = next;
        }
        VerilatedVpi::callCbs(cbNextSimTime);
        settle_value_callbacks();
        VerilatedVpi::callTimedCbs();
        settle_value_callbacks();
    }

    top->final();
    VerilatedVpi::callCbs(cbEndOfSimulation);
#if VM_TRACE
    if (trace) trace->close();
#endif
#if VM_COVERAGE
    write_coverage(argc, argv);
#endif
    return Verilated::threadContextp()->errorCount() > 0 ? 1 : 0;
}
