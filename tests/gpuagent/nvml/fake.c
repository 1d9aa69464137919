/* A driver without a GPU: as much of libnvidia-ml.so.1 as the agent asks. FAKE_NVML names what is wrong with it,
   FAKE_NVML_COUNT says how many GPUs it has. Functions that it lacks are those of newer drivers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* without the variable: what it was built with */
#ifndef MODE
#define MODE ""
#endif

typedef int Return;
typedef void *Device;
typedef unsigned long long u64;

enum { OK = 0, INVALID = 2, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_LOADED = 9, LOST = 15, MISMATCH = 18 };

static int is(const char *mode) {
    const char *set = getenv("FAKE_NVML");
    return strstr(set ? set : MODE, mode) != NULL;
}

static unsigned count(void) {
    const char *set = getenv("FAKE_NVML_COUNT");
    return set ? (unsigned)atoi(set) : 1;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

Return nvmlInitWithFlags(unsigned flags) { return is("nodriver") ? NOT_LOADED : is("mismatch") ? MISMATCH : OK; }
Return nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
Return nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(Return code) { return "an error of the fake driver"; }

Return nvmlDeviceGetCount_v2(unsigned *n) { *n = count(); return OK; }
Return nvmlDeviceGetHandleByIndex_v2(unsigned place, Device *device) {
    if (place >= count()) return INVALID;
    if (is("half") && place == 1) return LOST;
    *device = (Device)(long)(place + 1);
    return OK;
}
Return nvmlDeviceGetUUID(Device device, char *text, unsigned size) {
    snprintf(text, size, "GPU-00000000-0000-0000-0000-%012ld", (long)device);
    return OK;
}
Return nvmlDeviceGetName(Device device, char *text, unsigned size) {
    snprintf(text, size, "NVIDIA H100 80GB HBM3");
    return OK;
}
Return nvmlDeviceGetCudaComputeCapability(Device device, int *major, int *minor) {
    *major = is("a100") ? 8 : is("pascal") ? 6 : 9;
    *minor = 0;
    return OK;
}
Return nvmlDeviceGetEnforcedPowerLimit(Device device, unsigned *milliwatts) { *milliwatts = 700000; return OK; }
Return nvmlDeviceGetMigMode(Device device, unsigned *now, unsigned *pending) {
    if (is("pascal")) return NOT_SUPPORTED;
    *now = *pending = is("mig");
    return OK;
}

Return nvmlDeviceGetPowerUsage(Device device, unsigned *milliwatts) {
    if (is("lost")) return LOST;
    if (is("denied")) return NO_PERMISSION;
    if (is("module")) return NOT_SUPPORTED;
    *milliwatts = 300000;
    return OK;
}
Return nvmlDeviceGetTotalEnergyConsumption(Device device, u64 *millijoules) {
    if (is("lost")) return LOST;
    if (is("pascal")) return NOT_SUPPORTED;
    /* in steps of 100 ms, as on a real board */
    *millijoules = (u64)((long)(seconds() * 10) * 30000.0);
    return OK;
}
Return nvmlDeviceGetTemperature(Device device, int sensor, unsigned *degrees) { *degrees = is("idle") ? 35 : 61; return OK; }
Return nvmlDeviceGetClockInfo(Device device, int kind, unsigned *mhz) { *mhz = 1980; return OK; }
Return nvmlDeviceGetCurrentClocksThrottleReasons(Device device, u64 *reasons) { *reasons = 4; return OK; }

typedef struct { unsigned gpu, memory; } Utilization;
Return nvmlDeviceGetUtilizationRates(Device device, Utilization *rates) {
    if (is("mig")) return NOT_SUPPORTED;
    rates->gpu = is("idle") ? 0 : 97;
    rates->memory = is("idle") ? 0 : 50;
    return OK;
}

typedef struct { u64 total, free, used; } Memory;
Return nvmlDeviceGetMemoryInfo(Device device, Memory *memory) {
    if (is("unified")) return NOT_SUPPORTED;
    memory->total = 80ULL << 30;
    memory->used = is("idle") ? 4ULL << 20 : 40ULL << 30;
    memory->free = memory->total - memory->used;
    return OK;
}

/* The third form, as the bindings ask for it by the name of the first. */
typedef struct { unsigned pid; u64 memory; unsigned gpu_instance, compute_instance; } Process;
Return nvmlDeviceGetComputeRunningProcesses_v3(Device device, unsigned *n, Process *processes) {
    unsigned room = *n;
    *n = is("shared") ? 1 : 0;
    if (room < *n) return 7;
    if (*n) memset(processes, 0, sizeof *processes), processes->pid = 1;
    return OK;
}

typedef struct {
    unsigned field, scope;
    long long timestamp, latency;
    unsigned type, code;
    union { double d; unsigned u; u64 ull; } value;
} FieldValue;
Return nvmlDeviceGetFieldValues(Device device, int n, FieldValue *values) {
    for (int place = 0; place < n; place++) {
        int is_power = values[place].field == 185 || values[place].field == 186;
        values[place].code = is_power && (values[place].scope == 1) == is("module") ? OK : NOT_SUPPORTED;
        values[place].type = 1;
        values[place].value.u = 650000;
    }
    return OK;
}
