/* A stand-in for an accelerator's delegate library: loaded by the runtime like libedgetpu, without any device.
 *
 * The node it takes over is run by its own CPU kernel, so a model's numbers stay what they were while the delegate is
 * really in the graph; a missing device, a refusal and a lost device can be brought about by options:
 *   claim = none | one (one light node; the default) | custom (every edgetpu-custom-op; its outputs stay as they are)
 *   fail  = never | create | create_with_words | prepare | invoke;   after = N invocations that still work
 *   device = as libedgetpu's option, repeated in the messages
 * An unknown option is refused, as libedgetpu does.
 *
 * A running service gives no options: there a file says how the device is, read again at each call, so that it can be
 * lost and come back. $FAKE_ACCELERATOR names the file; one word of:
 *   well (also: no such file) | absent | lost | hung | crash | garbage | silent (all zeros),
 *   hung_at_open | crash_at_open (what a library of another age does)
 *
 * The structs are the C interface of TensorFlow Lite (tensorflow/lite/core/c/common.h), as far as it is needed; it is
 * the same from tflite-runtime 2.14 to LiteRT 2.3. Build: cc -shared -fPIC -o libfake.so accelerator.c
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef enum { OK = 0, FAILED = 1 } Status;
typedef struct { int size; int data[]; } IntArray;
typedef struct Context Context;
typedef struct Delegate Delegate;
typedef struct Node Node;

typedef struct {
  void *(*init)(Context *, const char *, size_t);
  void (*free)(Context *, void *);
  Status (*prepare)(Context *, Node *);
  Status (*invoke)(Context *, Node *);
  const char *(*profiling_string)(const Context *, const Node *);
  int32_t builtin_code;
  const char *custom_name;
  int version;
  void *registration_external;
  void *async_kernel;
  uint64_t inplace_operator;
} Registration;

struct Node {
  IntArray *inputs, *outputs, *intermediates, *temporaries;
  void *user_data, *builtin_data;
  const void *custom_initial_data;
  int custom_initial_data_size;
  Delegate *delegate;
  bool might_have_side_effect;
};

struct Context {
  size_t tensors_size;
  Status (*GetExecutionPlan)(Context *, IntArray **);
  void *tensors, *impl;
  Status (*ResizeTensor)(Context *, void *, IntArray *);
  void (*ReportError)(Context *, const char *, ...);
  Status (*AddTensors)(Context *, int, int *);
  Status (*GetNodeAndRegistration)(Context *, int, Node **, Registration **);
  Status (*ReplaceNodeSubsetsWithDelegateKernels)(Context *, Registration, const IntArray *, Delegate *);
};

/* TfLiteTensor: what a kernel needs to write into an output. */
typedef struct {
  int type;
  void *data;
  IntArray *dims;
  float scale;
  int32_t zero_point;
  int allocation_type;
  size_t bytes;
  const void *allocation;
  const char *name;
  Delegate *delegate;
  int buffer_handle;
  bool data_is_stale, is_variable;
  int quantization_type;
  void *quantization_params, *sparsity;
  const IntArray *dims_signature;
} Tensor;

typedef struct { Delegate *delegate; IntArray *nodes_to_replace, *input_tensors, *output_tensors; } Params;

struct Delegate {
  void *data;
  Status (*Prepare)(Context *, Delegate *);
  Status (*CopyFromBufferHandle)(Context *, Delegate *, int, void *);
  Status (*CopyToBufferHandle)(Context *, Delegate *, int, void *);
  void (*FreeBufferHandle)(Context *, Delegate *, int *);
  int64_t flags;
  void *opaque_delegate_builder;
};

enum { DEQUANTIZE = 6, LOGISTIC = 14, RESHAPE = 22, SOFTMAX = 25, CUSTOM = 32, DELEGATE = 51, QUANTIZE = 114 };
enum { ALLOW_DYNAMIC_TENSORS = 1, MOST_NODES = 256 };

typedef struct { char claim[16], fail[24], device[32]; long after, calls; } Options;
typedef struct { Options *options; int count; Node nodes[MOST_NODES]; Registration registrations[MOST_NODES]; } Kernel;

static bool is_now(const char *word) {
  const char *path = getenv("FAKE_ACCELERATOR");
  FILE *file = path ? fopen(path, "r") : NULL;
  char found[32] = "well";
  if (!file) return false;
  if (fscanf(file, "%31s", found) != 1) strcpy(found, "well");
  fclose(file);
  return !strcmp(found, word);
}

static void hang_or_crash(const char *hung, const char *crash) {
  if (is_now(crash)) raise(SIGSEGV);
  while (is_now(hung)) for (;;) pause(); /* for good: a wedged driver does not come back into the same call */
}

static void spoil(Context *context, const Node *node, bool with_noise) {
  static uint32_t noise = 2463534242u;
  for (int i = 0; i < node->outputs->size; i++) {
    Tensor *tensor = (Tensor *)context->tensors + node->outputs->data[i];
    for (size_t at = 0; tensor->data && at < tensor->bytes; at++) {
      noise ^= noise << 13, noise ^= noise >> 17, noise ^= noise << 5;
      ((uint8_t *)tensor->data)[at] = with_noise ? (uint8_t)noise : 0;
    }
  }
}

static IntArray *new_array(int size) {
  IntArray *array = malloc(sizeof(IntArray) + sizeof(int) * (size_t)size);
  array->size = size;
  return array;
}

static void *kernel_init(Context *context, const char *buffer, size_t length) {
  const Params *params = (const Params *)buffer;
  Kernel *kernel = calloc(1, sizeof *kernel);
  (void)length;
  kernel->options = params->delegate->data;
  for (int i = 0; i < params->nodes_to_replace->size && i < MOST_NODES; i++) {
    Node *node;
    Registration *registration; /* copied: the interpreter's own list moves later */
    if (context->GetNodeAndRegistration(context, params->nodes_to_replace->data[i], &node, &registration) != OK) break;
    kernel->nodes[kernel->count] = *node;
    kernel->registrations[kernel->count] = *registration;
    kernel->nodes[kernel->count++].temporaries = new_array(0);
  }
  return kernel;
}

static void kernel_free(Context *context, void *data) {
  Kernel *kernel = data;
  (void)context;
  for (int i = 0; i < kernel->count; i++) free(kernel->nodes[i].temporaries);
  free(kernel);
}

static Status kernel_prepare(Context *context, Node *node) {
  Kernel *kernel = node->user_data;
  if (!strcmp(kernel->options->fail, "prepare")) {
    context->ReportError(context, "fake accelerator: refused (%s)", kernel->options->device);
    return FAILED;
  }
  for (int i = 0; i < kernel->count; i++) {
    Registration *own = &kernel->registrations[i];
    if (own->prepare && own->builtin_code != CUSTOM && own->prepare(context, &kernel->nodes[i]) != OK) return FAILED;
  }
  return OK;
}

static Status kernel_invoke(Context *context, Node *node) {
  Kernel *kernel = node->user_data;
  if (!strcmp(kernel->options->fail, "invoke") && ++kernel->options->calls > kernel->options->after) {
    context->ReportError(context, "fake accelerator: transfer error (%s)", kernel->options->device);
    return FAILED;
  }
  hang_or_crash("hung", "crash");
  if (is_now("lost") || is_now("absent")) {
    context->ReportError(context, "fake accelerator: the device is gone (%s)", kernel->options->device);
    return FAILED;
  }
  for (int i = 0; i < kernel->count; i++) {
    Registration *own = &kernel->registrations[i];
    if (own->builtin_code != CUSTOM && own->invoke(context, &kernel->nodes[i]) != OK) return FAILED;
  }
  if (is_now("garbage") || is_now("silent")) spoil(context, node, is_now("garbage"));
  return OK;
}

static bool is_edgetpu_op(const Registration *one) {
  return one->builtin_code == CUSTOM && one->custom_name && !strcmp(one->custom_name, "edgetpu-custom-op");
}

/* Kernels without scratch tensors. One node alone, so that no tensor lies inside the part that was taken over. */
static bool is_light(const Registration *one) {
  int code = one->builtin_code;
  return code == LOGISTIC || code == RESHAPE || code == SOFTMAX || code == DEQUANTIZE || code == QUANTIZE;
}

static Status delegate_prepare(Context *context, Delegate *delegate) {
  Options *options = delegate->data;
  IntArray *plan;
  if (!strcmp(options->claim, "none")) return OK;
  if (context->GetExecutionPlan(context, &plan) != OK) return FAILED;
  IntArray *chosen = new_array(plan->size);
  chosen->size = 0;
  for (int i = 0; i < plan->size; i++) {
    Node *node;
    Registration *one;
    if (context->GetNodeAndRegistration(context, plan->data[i], &node, &one) != OK) return FAILED;
    bool first_light = !strcmp(options->claim, "one") && is_light(one) && chosen->size == 0;
    if (is_edgetpu_op(one) || first_light) chosen->data[chosen->size++] = plan->data[i];
  }
  Registration kernel = {.init = kernel_init, .free = kernel_free, .prepare = kernel_prepare, .invoke = kernel_invoke,
                         .builtin_code = DELEGATE, .custom_name = "FakeEdgeTpuDelegate", .version = 1};
  Status status = context->ReplaceNodeSubsetsWithDelegateKernels(context, kernel, chosen, delegate);
  free(chosen);
  return status;
}

static bool read_option(Options *options, const char *key, const char *value) {
  if (!strcmp(key, "claim")) snprintf(options->claim, sizeof options->claim, "%s", value);
  else if (!strcmp(key, "fail")) snprintf(options->fail, sizeof options->fail, "%s", value);
  else if (!strcmp(key, "device")) snprintf(options->device, sizeof options->device, "%s", value);
  else if (!strcmp(key, "after")) options->after = atol(value);
  else return false;
  return true;
}

Delegate *tflite_plugin_create_delegate(const char *const *keys, const char *const *values, size_t count,
                                        void (*report)(const char *)) {
  Options *options = calloc(1, sizeof *options);
  const char *words = NULL;
  strcpy(options->claim, "one");
  strcpy(options->fail, "never");
  strcpy(options->device, "any");
  for (size_t i = 0; i < count; i++)
    if (!read_option(options, keys[i], values[i])) words = "fake accelerator: unknown option";
  hang_or_crash("hung_at_open", "crash_at_open");
  if (is_now("absent")) strcpy(options->fail, "create");
  if (!strcmp(options->fail, "create_with_words")) words = "no Edge TPU device found";
  if (words && report) report(words);
  if (words || !strcmp(options->fail, "create")) { /* libedgetpu without a device says nothing */
    free(options);
    return NULL;
  }
  Delegate *delegate = calloc(1, sizeof *delegate);
  delegate->data = options;
  delegate->Prepare = delegate_prepare;
  /* Else the interpreter prepares the unresolved operators first, and refuses. */
  delegate->flags = !strcmp(options->claim, "custom") ? ALLOW_DYNAMIC_TENSORS : 0;
  return delegate;
}

void tflite_plugin_destroy_delegate(Delegate *delegate) {
  if (delegate) free(delegate->data);
  free(delegate);
}
