/* Detects commands in audio with a speechgru model file and LiteRT's C API, hop by hop.
 *
 *     stream [--scores] [--threshold NUMBER] MODEL.tflite AUDIO
 *
 * AUDIO is a WAV file (16-bit PCM, mono, 16 kHz), or - for raw 16-bit little-endian samples of the
 * same kind on standard input: `arecord -t raw -f S16_LE -r 16000 | stream MODEL.tflite -`.
 * ffmpeg converts other audio: `ffmpeg -i FILE -f s16le -ac 1 -ar 16000 - | stream MODEL.tflite -`.
 * The program prints a line `SECONDS LABEL CONFIDENCE` for each detected command. The time is the
 * end of the word. A label with spaces is printed in double quotes. With --scores it prints the
 * scores after every hop instead. Errors are one line on standard error, with exit code 2. LiteRT
 * also writes a line there when it starts to run the model.
 *
 * The rule from scores to detections is that of speechgru/detection.py; docs/deploy.md explains it.
 * Its constants are in the model file. --threshold replaces the thresholds of all commands.
 *
 * To compile it with the library of the Python package ai-edge-litert:
 *
 *     LITERT=$(python3 -c 'import ai_edge_litert; print(ai_edge_litert.__path__[0])')
 *     cc -std=c11 -O2 stream.c -o stream -L$LITERT -lLiteRt -Wl,-rpath,$LITERT
 *
 * With the Android NDK, use the libLiteRt.so of the Maven package com.google.ai.edge.litert:litert.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "litert.h"

enum { RATE = 16000, MAX_TENSORS = 16, MAX_MODEL_BYTES = 1 << 28 };
enum { MAX_DEPTH = 100, MAX_HOPS = 10000 }; /* in speechgru.json */
static const double TAIL_SECONDS = 0.6; /* of silence after the audio */
static const float RISEN = 0.5f; /* score that a command passes while its last sounds are spoken */

/* The inputs or the outputs of the signature `stream`. */
typedef struct {
    size_t count;
    const char *names[MAX_TENSORS];
    size_t sizes[MAX_TENSORS]; /* elements of each tensor, float32 */
    LiteRtTensorBuffer buffers[MAX_TENSORS];
    float *values[MAX_TENSORS]; /* content of the buffers */
} Tensors;

typedef struct {
    const char *name; /* of the file, for messages */
    unsigned char *content;
    size_t size;
    char *label_text;
    const char **labels; /* in the order of the scores */
    size_t label_count;
    LiteRtEnvironment environment;
    LiteRtModel model;
    LiteRtCompiledModel compiled;
    size_t signature; /* index of `stream` among the model's signatures */
    Tensors in, out;
    size_t audio, scores;     /* indices in `in` and in `out` */
    size_t next[MAX_TENSORS]; /* for each state in `in`, the index of its next value in `out` */
} Stream;

static _Noreturn void fail(const char *name, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s: ", name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(2);
}

static void check(LiteRtStatus status, const char *name, const char *expected) {
    if (status != kLiteRtStatusOk)
        fail(name, "expected %s, found LiteRT's error %d", expected, (int)status);
}

static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (memory == NULL) fail("stream", "expected enough memory, found too little");
    return memory;
}

static uint32_t read_integer(const unsigned char *bytes, int count) { /* little-endian */
    uint32_t value = 0;
    while (count-- > 0) value = value << 8 | bytes[count];
    return value;
}

/* ---- The model file ---- */

static unsigned char *read_file(const char *name, size_t *size) {
    const char *expected = "expected a model file, found";
    FILE *file = fopen(name, "rb");
    if (file == NULL) fail(name, "%s: %s", expected, strerror(errno));
    long length = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (length < 0 || length > MAX_MODEL_BYTES)
        fail(name, "%s no file of at most 256 MiB", expected);
    rewind(file);
    unsigned char *content = allocate((size_t)length + 1, 1);
    *size = fread(content, 1, (size_t)length, file);
    if (ferror(file)) fail(name, "%s: %s", expected, strerror(errno));
    fclose(file);
    return content;
}

/* Find a member of the ZIP archive at the end of the file, where it is stored uncompressed. The
 * offsets are those of the ZIP format's end record, directory entries and local headers. */
static const char *find_member(const Stream *stream, const char *member, size_t *length) {
    const unsigned char *content = stream->content;
    size_t size = stream->size, member_length = strlen(member);
    if (size < 22 || memcmp(content + size - 22, "PK\5\6", 4) != 0) return NULL;
    const unsigned char *end = content + size - 22;
    uint64_t position = read_integer(end + 16, 4); /* sums of 32-bit offsets do not overflow */
    uint32_t left = read_integer(end + 10, 2);
    for (; left > 0 && position + 46 + member_length <= size; left--) {
        const unsigned char *entry = content + position;
        uint32_t name_length = read_integer(entry + 28, 2);
        if (name_length == member_length && memcmp(entry + 46, member, member_length) == 0) {
            uint64_t start = read_integer(entry + 42, 4);
            bool uncompressed = read_integer(entry + 10, 2) == 0;
            if (!uncompressed || start + 30 > size) return NULL;
            const unsigned char *header = content + start;
            start += 30 + read_integer(header + 26, 2) + read_integer(header + 28, 2);
            *length = read_integer(entry + 24, 4);
            return start + *length <= size ? (const char *)content + start : NULL;
        }
        position += 46 + name_length + read_integer(entry + 30, 2) + read_integer(entry + 32, 2);
    }
    return NULL;
}

static const char *get_member(const Stream *stream, const char *member, size_t *length) {
    const char *text = find_member(stream, member, length);
    if (text == NULL)
        fail(stream->name, "expected %s in a ZIP archive at the end, found none", member);
    return text;
}

/* Read one label per line. Each newline is replaced by the end of a string. */
static void read_labels(Stream *stream) {
    size_t length, count = 0;
    const char *content = get_member(stream, "labels.txt", &length);
    char *text = stream->label_text = memcpy(allocate(length + 1, 1), content, length);
    for (size_t i = 0; i < length; i++) count += text[i] == '\n';
    stream->labels = allocate(count + 1, sizeof *stream->labels);
    for (size_t start = 0, i = 0; i < length; i++) {
        if (text[i] != '\n') continue;
        text[i] = '\0';
        stream->labels[stream->label_count++] = text + start;
        start = i + 1;
    }
}

static size_t find_signature(LiteRtModel model, const char *name) {
    LiteRtSignature signature;
    size_t count = 0;
    const char *key;
    check(LiteRtGetNumModelSignatures(model, &count), name, "signatures");
    for (size_t i = 0; i < count; i++) {
        check(LiteRtGetModelSignature(model, i, &signature), name, "signatures");
        check(LiteRtGetSignatureKey(signature, &key), name, "signatures");
        if (strcmp(key, "stream") == 0) return i;
    }
    fail(name, "expected a signature stream, found none");
}

/* Allocate each input or output of the signature and set it to zeros, the initial state. */
static void open_tensors(Stream *stream, LiteRtSignature signature, bool inputs) {
    const char *name = stream->name, *expected = "float32 tensors of fixed shapes, 16 at most";
    Tensors *tensors = inputs ? &stream->in : &stream->out;
    check(inputs ? LiteRtGetNumSignatureInputs(signature, &tensors->count)
                 : LiteRtGetNumSignatureOutputs(signature, &tensors->count),
          name, expected);
    if (tensors->count > MAX_TENSORS) fail(name, "expected %s, found more", expected);
    for (size_t i = 0; i < tensors->count; i++) {
        LiteRtTensor tensor;
        LiteRtRankedTensorType type;
        LiteRtTensorBufferRequirements needs;
        void *memory;
        check(inputs ? LiteRtGetSignatureInputName(signature, i, &tensors->names[i])
                     : LiteRtGetSignatureOutputName(signature, i, &tensors->names[i]),
              name, expected);
        check(inputs ? LiteRtGetSignatureInputTensorByIndex(signature, i, &tensor)
                     : LiteRtGetSignatureOutputTensorByIndex(signature, i, &tensor),
              name, expected);
        check(LiteRtGetRankedTensorType(tensor, &type), name, expected);
        bool usable = type.element_type == kLiteRtElementTypeFloat32;
        tensors->sizes[i] = 1;
        for (unsigned axis = 0; axis < type.layout.rank; axis++) {
            usable = usable && type.layout.dimensions[axis] > 0;
            tensors->sizes[i] *= (size_t)type.layout.dimensions[axis];
        }
        if (!usable) fail(name, "expected %s, found others", expected);
        size_t index = stream->signature;
        check(inputs ? LiteRtGetCompiledModelInputBufferRequirements(stream->compiled, index, i,
                                                                     &needs)
                     : LiteRtGetCompiledModelOutputBufferRequirements(stream->compiled, index, i,
                                                                      &needs),
              name, expected);
        check(LiteRtCreateManagedTensorBufferFromRequirements(stream->environment, &type, needs,
                                                              &tensors->buffers[i]),
              name, expected);
        /* For the CPU only: LiteRtLockTensorBuffer maps the memory of other processors. */
        check(LiteRtGetTensorBufferHostMemory(tensors->buffers[i], &memory), name, expected);
        tensors->values[i] = memset(memory, 0, tensors->sizes[i] * sizeof(float));
    }
}

static size_t find_tensor(const Tensors *tensors, const char *prefix, const char *tensor,
                          const char *name) {
    size_t length = strlen(prefix);
    for (size_t i = 0; i < tensors->count; i++)
        if (strncmp(tensors->names[i], prefix, length) == 0 &&
            strcmp(tensors->names[i] + length, tensor) == 0)
            return i;
    fail(name, "expected a tensor %s%s in the signature stream, found none", prefix, tensor);
}

static void open_model(Stream *stream, const char *name) {
    const LiteRtEnvOption settings[] = {
        /* Without these, LiteRT writes lines about errors and looks for graphics processors. */
        {kLiteRtEnvOptionTagMinLoggerSeverity, {kLiteRtAnyTypeInt, {kLiteRtLogSeveritySilent}}},
        {kLiteRtEnvOptionTagAutoRegisterAccelerators,
         {kLiteRtAnyTypeInt, {kLiteRtHwAcceleratorCpu}}},
    };
    stream->name = name;
    stream->content = read_file(name, &stream->size);
    check(LiteRtCreateEnvironment(2, settings, &stream->environment), name, "LiteRT to start");
    check(LiteRtCreateModelFromBuffer(stream->environment, stream->content, stream->size,
                                      &stream->model),
          name, "a TFLite model");
    stream->signature = find_signature(stream->model, name);
    read_labels(stream);
}

/* Prepare the model of `open_model` to run. */
static void open_stream(Stream *stream) {
    const char *name = stream->name;
    LiteRtSignature signature;
    LiteRtOptions options;
    check(LiteRtGetModelSignature(stream->model, stream->signature, &signature), name,
          "signatures");
    check(LiteRtCreateOptions(&options), name, "LiteRT to start");
    check(LiteRtSetOptionsHardwareAccelerators(options, kLiteRtHwAcceleratorCpu), name, "a CPU");
    check(LiteRtCreateCompiledModel(stream->environment, stream->model, options,
                                    &stream->compiled),
          name, "a model that LiteRT can run");
    LiteRtDestroyOptions(options);
    open_tensors(stream, signature, true);
    open_tensors(stream, signature, false);
    /* By name: the order of the tensors in the file is arbitrary. */
    stream->audio = find_tensor(&stream->in, "", "audio", name);
    stream->scores = find_tensor(&stream->out, "", "scores", name);
    for (size_t i = 0; i < stream->in.count; i++) {
        if (i == stream->audio) continue;
        const char *state = stream->in.names[i];
        stream->next[i] = find_tensor(&stream->out, "next_", state, name);
        if (stream->out.sizes[stream->next[i]] != stream->in.sizes[i])
            fail(name, "expected next_%s to have the size of %s, found another", state, state);
    }
    size_t scores = stream->out.sizes[stream->scores];
    if (scores != stream->label_count)
        fail(name, "expected %zu labels, found %zu", scores, stream->label_count);
}

/* Run the model on the hop in the input `audio` and return the scores after it. */
static const float *step(Stream *stream) {
    Tensors *in = &stream->in, *out = &stream->out;
    check(LiteRtRunCompiledModel(stream->compiled, stream->signature, in->count, in->buffers,
                                 out->count, out->buffers),
          stream->name, "a model that LiteRT can run");
    for (size_t i = 0; i < in->count; i++) {
        if (i == stream->audio) continue;
        memcpy(in->values[i], out->values[stream->next[i]], in->sizes[i] * sizeof(float));
    }
    return out->values[stream->scores];
}

static void close_stream(Stream *stream) {
    for (size_t i = 0; i < stream->in.count; i++) LiteRtDestroyTensorBuffer(stream->in.buffers[i]);
    for (size_t i = 0; i < stream->out.count; i++)
        LiteRtDestroyTensorBuffer(stream->out.buffers[i]);
    LiteRtDestroyCompiledModel(stream->compiled);
    LiteRtDestroyModel(stream->model);
    LiteRtDestroyEnvironment(stream->environment);
    free(stream->labels);
    free(stream->label_text);
    free(stream->content); /* last: the model reads from it */
}

/* ---- speechgru.json ---- */

typedef struct {
    const char *start, *end;
} Text; /* of a JSON value */

static const char *skip_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
    return at;
}

static const char *skip_digits(const char *at, const char *end) {
    while (at < end && *at >= '0' && *at <= '9') at++;
    return at;
}

/* These return the end of what begins at `at`, or NULL if it is no JSON. */
static const char *skip_string(const char *at, const char *end) {
    if (at == end || *at != '"') return NULL;
    for (at++; at < end && *at != '"'; at++) {
        if ((unsigned char)*at < ' ') return NULL;
        if (*at != '\\') continue;
        if (++at == end || *at == '\0' || strchr("\"\\/bfnrtu", *at) == NULL) return NULL;
        for (int digits = *at == 'u' ? 4 : 0; digits > 0; digits--)
            if (++at == end || *at == '\0' || strchr("0123456789abcdefABCDEF", *at) == NULL)
                return NULL;
    }
    return at < end ? at + 1 : NULL;
}

static const char *skip_number(const char *at, const char *end) {
    if (at < end && *at == '-') at++;
    const char *start = at;
    at = skip_digits(at, end);
    if (at == start || (*start == '0' && at > start + 1)) return NULL;
    if (at < end && *at == '.') {
        start = ++at;
        if ((at = skip_digits(at, end)) == start) return NULL;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        if (++at < end && (*at == '+' || *at == '-')) at++;
        start = at;
        if ((at = skip_digits(at, end)) == start) return NULL;
    }
    return at;
}

static const char *skip_value(const char *at, const char *end, int depth);

/* An object or an array. */
static const char *skip_collection(const char *at, const char *end, int depth) {
    bool object = *at == '{';
    char close = object ? '}' : ']';
    at = skip_space(at + 1, end);
    if (at < end && *at == close) return at + 1;
    while (at < end) {
        if (object) {
            if ((at = skip_string(at, end)) == NULL) return NULL;
            at = skip_space(at, end);
            if (at == end || *at != ':') return NULL;
            at = skip_space(at + 1, end);
        }
        if ((at = skip_value(at, end, depth + 1)) == NULL) return NULL;
        at = skip_space(at, end);
        if (at < end && *at == close) return at + 1;
        if (at == end || *at != ',') return NULL;
        at = skip_space(at + 1, end);
    }
    return NULL;
}

static const char *skip_value(const char *at, const char *end, int depth) {
    static const char *const words[] = {"true", "false", "null"};
    if (at == end || depth > MAX_DEPTH) return NULL;
    if (*at == '"') return skip_string(at, end);
    if (*at == '{' || *at == '[') return skip_collection(at, end, depth);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(end - at) >= length && memcmp(at, words[i], length) == 0) return at + length;
    }
    return skip_number(at, end);
}

/* Get the next member of an object; *at is its start at first. */
static bool next_member(const char **at, const char *end, Text *name, Text *value) {
    const char *start = skip_space(*at + 1, end); /* after a bracket or a comma */
    if (**at == '}' || *start == '}') return false;
    *name = (Text){start, skip_string(start, end)};
    start = skip_space(skip_space(name->end, end) + 1, end); /* after the colon */
    *value = (Text){start, skip_value(start, end, 0)};
    *at = skip_space(value->end, end);
    return true;
}

static uint32_t read_hex(const char *digits) { /* four of them */
    char text[5] = {digits[0], digits[1], digits[2], digits[3], '\0'};
    return (uint32_t)strtoul(text, NULL, 16);
}

/* Read the digits of \uXXXX, or of a pair of them, as UTF-8. */
static size_t read_unicode(const char **at, char *bytes) {
    uint32_t code = read_hex(*at), low = 0;
    *at += 4;
    if (code >= 0xD800 && code < 0xDC00 && (*at)[0] == '\\' && (*at)[1] == 'u')
        low = read_hex(*at + 2);
    if (low >= 0xDC00 && low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        *at += 6;
    }
    size_t count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint32_t marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = count; i-- > 1; code >>= 6) bytes[i] = (char)(0x80 | (code & 0x3F));
    bytes[0] = (char)(marks[count] | code);
    return count;
}

static bool is_string(Text token, const char *expected) {
    static const char escapes[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    if (*token.start != '"') return false;
    for (const char *at = token.start + 1; at < token.end - 1;) {
        char bytes[4] = {*at++};
        size_t count = 1;
        if (bytes[0] == '\\') {
            bytes[0] = *at++;
            const char *escape = strchr(escapes, bytes[0]);
            if (bytes[0] == 'u')
                count = read_unicode(&at, bytes);
            else if (escape != NULL)
                bytes[0] = meanings[escape - escapes];
        }
        if (bytes[0] == '\0' || strncmp(expected, bytes, count) != 0) return false;
        expected += count;
    }
    return *expected == '\0';
}

/* Find a member of an object by its name. False: it is not there, or null. */
static bool find_value(const char *file, Text object, const char *name, Text *found) {
    Text key, value;
    size_t count = 0;
    for (const char *at = object.start; next_member(&at, object.end, &key, &value);)
        if (is_string(key, name)) {
            *found = value;
            count++;
        }
    if (count > 1) fail(file, "speechgru.json: expected %s once, found it twice", name);
    return count == 1 && *found->start != 'n';
}

static double read_number(const char *file, Text token, const char *name, double least,
                          double greatest) {
    bool number = *token.start == '-' || (*token.start >= '0' && *token.start <= '9');
    double value = number ? strtod(token.start, NULL) : -1; /* it ends before a comma or bracket */
    if (!(number && value >= least && value <= greatest)) {
        int length = (int)(token.end - token.start < 30 ? token.end - token.start : 30);
        fail(file, "speechgru.json: expected %s to be a number from %g to %g, found %.*s", name,
             least, greatest, length, token.start);
    }
    return value;
}

static double get_number(const char *file, Text object, const char *name, double least,
                         double greatest) {
    Text value;
    if (!find_value(file, object, name, &value))
        fail(file, "speechgru.json: expected %s, found none", name);
    return read_number(file, value, name, least, greatest);
}

static size_t get_integer(const char *file, Text object, const char *name, double least,
                          double greatest) {
    double value = get_number(file, object, name, least, greatest);
    if (value != (double)(size_t)value)
        fail(file, "speechgru.json: expected %s to be an integer, found %g", name, value);
    return (size_t)value;
}

static Text get_object(const char *file, Text object, const char *name) {
    Text value;
    if (!find_value(file, object, name, &value) || *value.start != '{')
        fail(file, "speechgru.json: expected an object %s, found none", name);
    return value;
}

/* ---- The constants of the rule ---- */

typedef struct {
    double *thresholds; /* of each label; 0 for those that are never detected */
    size_t unknown;     /* index of the label, or the number of labels if there is none */
    double context_weight, max_context;
    size_t smoothing_hops, context_hops, wait_hops, refractory_hops, word_end_hops;
} Rule;

static bool is_command(const char *label) {
    return strcmp(label, "unknown") != 0 && strcmp(label, "silence") != 0;
}

static void set_thresholds(Rule *rule, const Stream *stream, double threshold) {
    for (size_t i = 0; i < stream->label_count; i++)
        rule->thresholds[i] = is_command(stream->labels[i]) ? threshold : 0;
}

static void read_thresholds(Rule *rule, const Stream *stream, Text detection) {
    const char *file = stream->name;
    Text thresholds = get_object(file, detection, "thresholds"), key, value;
    size_t commands = 0, stated = 0;
    for (size_t i = 0; i < stream->label_count; i++) {
        if (!is_command(stream->labels[i])) continue;
        commands++;
        if (!find_value(file, thresholds, stream->labels[i], &value))
            fail(file, "speechgru.json: expected a threshold of %s, found none",
                 stream->labels[i]);
        rule->thresholds[i] = read_number(file, value, stream->labels[i], 0, 1);
        if (rule->thresholds[i] <= 0)
            fail(file, "speechgru.json: expected thresholds above 0, found 0");
    }
    for (const char *at = thresholds.start; next_member(&at, thresholds.end, &key, &value);)
        stated++;
    if (stated != commands)
        fail(file, "speechgru.json: expected thresholds of %zu commands, found %zu", commands,
             stated);
}

/* A file of format version 1 states no constants, but may state one threshold. */
static void set_defaults(Rule *rule, const Stream *stream, Text settings) {
    Text value;
    double threshold = 0;
    if (find_value(stream->name, settings, "threshold", &value))
        threshold = read_number(stream->name, value, "threshold", 0, 1);
    set_thresholds(rule, stream, threshold > 0 ? threshold : 0.5);
    rule->smoothing_hops = 12;
    rule->context_hops = 40;
    rule->context_weight = 50;
    rule->max_context = 1;
    rule->wait_hops = 2;
    rule->refractory_hops = 24;
    rule->word_end_hops = 4;
}

static Text read_settings(const Stream *stream) {
    size_t length;
    const char *text = get_member(stream, "speechgru.json", &length), *end = text + length;
    text = skip_space(text, end);
    const char *after = skip_value(text, end, 0);
    if (after == NULL || *text != '{' || skip_space(after, end) != end)
        fail(stream->name, "expected an object in speechgru.json, found text that is none");
    return (Text){text, after};
}

static void read_rule(Rule *rule, const Stream *stream) {
    const char *file = stream->name;
    size_t count = stream->label_count;
    Text detection, settings = read_settings(stream);
    size_t version = get_integer(file, settings, "format_version", 1, 2);
    get_number(file, get_object(file, settings, "front_end"), "sample_rate", RATE, RATE);
    rule->thresholds = allocate(count, sizeof *rule->thresholds);
    rule->unknown = 0;
    while (rule->unknown < count && strcmp(stream->labels[rule->unknown], "unknown") != 0)
        rule->unknown++;
    if (version == 1 && !find_value(file, settings, "detection", &detection)) {
        set_defaults(rule, stream, settings);
        return;
    }
    detection = get_object(file, settings, "detection");
    read_thresholds(rule, stream, detection);
    rule->smoothing_hops = get_integer(file, detection, "smoothing_hops", 1, MAX_HOPS);
    rule->context_hops = get_integer(file, detection, "context_hops", 1, MAX_HOPS);
    rule->context_weight = get_number(file, detection, "context_weight", 0, 1e6);
    rule->max_context = get_number(file, detection, "max_context", 0, 1);
    rule->wait_hops = get_integer(file, detection, "wait_hops", 0, MAX_HOPS);
    rule->refractory_hops = get_integer(file, detection, "refractory_hops", 0, MAX_HOPS);
    rule->word_end_hops = get_integer(file, detection, "word_end_hops", 0, MAX_HOPS);
}

/* ---- The audio ---- */

static void skip(FILE *file, uint64_t count) { /* by reading, because a pipe cannot seek */
    while (count > 0 && getc(file) != EOF) count--;
}

static _Noreturn void fail_wav(const char *name, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s: expected a WAV file of 16-bit PCM, mono, %d Hz, found ", name, RATE);
    vfprintf(stderr, format, arguments);
    fputs("; to convert it: ffmpeg -i FILE -ac 1 -ar 16000 -c:a pcm_s16le NEW.wav\n", stderr);
    va_end(arguments);
    exit(2);
}

/* Read a WAV file up to its samples and return their size in bytes. A program that cannot seek
 * writes a size of 0, which stands for all that follows. */
static uint64_t open_wav(FILE *file, const char *name) {
    unsigned char header[40];
    bool known = false;
    if (fread(header, 1, 12, file) != 12 || memcmp(header, "RIFF", 4) != 0 ||
        memcmp(header + 8, "WAVE", 4) != 0)
        fail_wav(name, "%s", ferror(file) ? strerror(errno) : "another file");
    while (fread(header, 1, 8, file) == 8) {
        uint32_t length = read_integer(header + 4, 4), taken = 0;
        if (memcmp(header, "data", 4) == 0 && known) return length > 0 ? length : UINT64_MAX;
        if (memcmp(header, "fmt ", 4) == 0) {
            taken = length < sizeof header ? length : sizeof header;
            if (taken < 16 || fread(header, 1, taken, file) != taken) break;
            uint32_t kind = read_integer(header, 2), channels = read_integer(header + 2, 2);
            uint32_t rate = read_integer(header + 4, 4), bits = read_integer(header + 14, 2);
            if (kind == 0xFFFE && taken >= 26) kind = read_integer(header + 24, 2); /* extensible */
            if (kind != 1 || bits != 16 || channels != 1 || rate != RATE)
                fail_wav(name, "%u-bit %s, %u channel(s), %u Hz", bits,
                         kind == 1 ? "PCM" : "samples of another kind", channels, rate);
            known = true;
        }
        skip(file, (uint64_t)length - taken + length % 2); /* chunks start at even offsets */
    }
    fail_wav(name, "a file that ends in its header");
}

/* ---- Detections ---- */

typedef struct {
    size_t label;
    uint64_t end_hop; /* of the word */
    double confidence;
} Detection;

typedef struct {
    Rule rule;
    size_t count;   /* of the labels */
    float *recent;  /* scores of the last smoothing_hops, a ring */
    float *unknown; /* scores of "unknown" of the last context_hops, a ring */
    uint64_t hop;   /* number of hops so far */
    Detection candidate;
    bool waiting;             /* for the decision on the candidate */
    double smoothed, context; /* of the candidate */
    double unknown_after;     /* sum of the scores of "unknown" after the candidate */
    uint64_t decision_hop, quiet_until;
    uint64_t last_end; /* of the last detected word; times never go back */
} Detector;

static void open_detector(Detector *detector, const Stream *stream, double threshold) {
    *detector = (Detector){.count = stream->label_count};
    Rule *rule = &detector->rule;
    read_rule(rule, stream);
    if (threshold > 0) set_thresholds(rule, stream, threshold);
    detector->recent = allocate(rule->smoothing_hops * detector->count, sizeof(float));
    detector->unknown = allocate(rule->context_hops, sizeof(float));
}

static void close_detector(Detector *detector) {
    free(detector->rule.thresholds);
    free(detector->recent);
    free(detector->unknown);
}

/* Score of a label, `age` hops ago. */
static float recent_score(const Detector *detector, size_t label, size_t age) {
    size_t hops = detector->rule.smoothing_hops;
    return detector->recent[(detector->hop + hops - age) % hops * detector->count + label];
}

static double mean_score(const Detector *detector, size_t label) {
    double sum = 0;
    for (size_t age = detector->rule.smoothing_hops; age-- > 0;)
        sum += (double)recent_score(detector, label, age);
    return sum / (double)detector->rule.smoothing_hops;
}

static double mean_unknown(const Detector *detector) {
    double sum = 0;
    size_t hops = detector->rule.context_hops;
    for (size_t i = 0; i < hops; i++) sum += (double)detector->unknown[i];
    return sum / (double)hops;
}

static size_t hops_since_rise(const Detector *detector, size_t label) {
    size_t age = detector->rule.smoothing_hops - 1;
    while (age > 0 && recent_score(detector, label, age) < RISEN) age--;
    return age;
}

/* Unknown speech near a word lowers the odds that the word is a command. */
static double confidence_of(const Detector *detector, double smoothed, double context) {
    double weight = 1 + detector->rule.context_weight * context;
    return smoothed > 0 ? smoothed / (smoothed + (1 - smoothed) * weight) : 0;
}

/* Make the command with the greatest confidence the candidate, if it reaches its threshold. */
static void consider(Detector *detector) {
    const Rule *rule = &detector->rule;
    Detection *candidate = &detector->candidate;
    double context = mean_unknown(detector);
    for (size_t label = 0; label < detector->count; label++) {
        if (rule->thresholds[label] <= 0) continue;
        double smoothed = mean_score(detector, label);
        double confidence = confidence_of(detector, smoothed, context);
        if (confidence < rule->thresholds[label]) continue;
        if (detector->waiting && confidence <= candidate->confidence) continue;
        if (!detector->waiting || candidate->label != label)
            candidate->end_hop =
                detector->hop - hops_since_rise(detector, label) + rule->word_end_hops;
        if (!detector->waiting) detector->decision_hop = detector->hop + rule->wait_hops;
        candidate->label = label;
        candidate->confidence = confidence;
        detector->waiting = true;
        detector->smoothed = smoothed;
        detector->context = context;
        detector->unknown_after = 0;
    }
}

/* Decide on the candidate. */
static bool decide(Detector *detector, Detection *detection) {
    const Rule *rule = &detector->rule;
    if (!detector->waiting) return false;
    detector->waiting = false;
    *detection = detector->candidate;
    double context = detector->context + detector->unknown_after / (double)rule->context_hops;
    detection->confidence = confidence_of(detector, detector->smoothed, context);
    if (detection->confidence < rule->thresholds[detection->label]) return false;
    if (context > rule->max_context) return false;
    if (detection->end_hop > detector->hop) detection->end_hop = detector->hop;
    if (detection->end_hop < detector->last_end) detection->end_hop = detector->last_end;
    detector->last_end = detection->end_hop;
    detector->quiet_until = detector->hop + rule->refractory_hops;
    return true;
}

/* Add the scores after one more hop; true if a command is detected. */
static bool push(Detector *detector, const float *scores, Detection *detection) {
    const Rule *rule = &detector->rule;
    float unknown = rule->unknown < detector->count ? scores[rule->unknown] : 0;
    detector->hop++;
    memcpy(detector->recent + detector->hop % rule->smoothing_hops * detector->count, scores,
           detector->count * sizeof *scores);
    detector->unknown[detector->hop % rule->context_hops] = unknown;
    if (detector->waiting) detector->unknown_after += (double)unknown;
    if (detector->hop > detector->quiet_until) consider(detector);
    return detector->hop >= detector->decision_hop && decide(detector, detection);
}

/* ---- The program ---- */

/* Print a label, in quotes where it holds a space or a quote itself. */
static void print_label(const char *label) {
    if (strpbrk(label, " \"\\") == NULL) {
        fputs(label, stdout);
        return;
    }
    putchar('"');
    for (; *label != '\0'; label++) {
        if (*label == '"' || *label == '\\') putchar('\\');
        putchar(*label);
    }
    putchar('"');
}

static void print_scores(const float *scores, size_t count) {
    for (size_t i = 0; i < count; i++)
        printf("%.6f%c", (double)scores[i], i + 1 < count ? ' ' : '\n');
}

static void print_detection(const Stream *stream, const Detection *detection, uint64_t samples) {
    uint64_t end = detection->end_hop * stream->in.sizes[stream->audio];
    printf("%.2f ", (double)(end < samples ? end : samples) / RATE);
    print_label(stream->labels[detection->label]);
    printf(" %.3f\n", detection->confidence);
}

typedef struct {
    bool only_scores;
    double threshold; /* 0: those of the file */
    const char *model, *audio;
} Arguments;

static Arguments parse_arguments(int argc, char **argv) {
    Arguments arguments = {0};
    int i = 1;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--scores") == 0) {
            arguments.only_scores = true;
        } else if (strcmp(argv[i], "--threshold") == 0 && i + 1 < argc) {
            char *end;
            arguments.threshold = strtod(argv[++i], &end);
            if (*end != '\0' || !(arguments.threshold > 0 && arguments.threshold <= 1))
                fail("--threshold", "expected a number above 0 and up to 1, found %s", argv[i]);
        } else {
            break;
        }
    }
    if (argc - i != 2)
        fail(argc > 0 ? argv[0] : "stream",
             "expected [--scores] [--threshold NUMBER] MODEL.tflite AUDIO.wav (or -)");
    arguments.model = argv[i];
    arguments.audio = argv[i + 1];
    return arguments;
}

/* Read the next hop as float samples and return how many there were. The rest are zeros. */
static size_t read_hop(FILE *file, uint64_t *left, unsigned char *bytes, float *audio, size_t hop) {
    size_t wanted = *left / 2 < hop ? (size_t)(*left / 2) : hop;
    size_t count = fread(bytes, 2, wanted, file);
    *left -= 2 * count;
    for (size_t i = 0; i < hop; i++)
        audio[i] = i < count ? (float)(int16_t)read_integer(bytes + 2 * i, 2) / 32768.0f : 0;
    return count;
}

/* Print what is detected in the audio. Only LiteRT allocates memory per hop. */
static void run(Stream *stream, Detector *detector, FILE *file, uint64_t left, bool only_scores) {
    size_t hop = stream->in.sizes[stream->audio], count;
    uint64_t samples = 0;
    unsigned char *bytes = allocate(hop, 2);
    float *audio = stream->in.values[stream->audio];
    Detection detection;
    while ((count = read_hop(file, &left, bytes, audio, hop)) == hop) {
        const float *scores = step(stream);
        samples += hop;
        if (only_scores)
            print_scores(scores, stream->label_count);
        else if (push(detector, scores, &detection))
            print_detection(stream, &detection, samples);
    }
    samples += count;
    free(bytes);
    /* The last hop, then silence: a word at the end has its greatest confidence only later. */
    size_t tail = (size_t)(TAIL_SECONDS * RATE / (double)hop + 0.5) + (count > 0);
    for (; !only_scores && samples > 0 && tail > 0; tail--) {
        if (push(detector, step(stream), &detection)) print_detection(stream, &detection, samples);
        memset(audio, 0, hop * sizeof *audio);
    }
    if (decide(detector, &detection)) print_detection(stream, &detection, samples);
}

int main(int argc, char **argv) {
    Arguments arguments = parse_arguments(argc, argv);
    FILE *file = stdin;
    uint64_t left = UINT64_MAX; /* bytes; standard input does not state its size */
    if (strcmp(arguments.audio, "-") != 0) {
        file = fopen(arguments.audio, "rb");
        if (file == NULL) fail(arguments.audio, "expected a WAV file, found: %s", strerror(errno));
        left = open_wav(file, arguments.audio);
    }
    Stream stream = {0};
    Detector detector;
    open_model(&stream, arguments.model);
    open_detector(&detector, &stream, arguments.threshold);
    open_stream(&stream);

    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* a pipe receives each line at once */
    run(&stream, &detector, file, left, arguments.only_scores);
    if (ferror(file)) fail(arguments.audio, "expected audio, found: %s", strerror(errno));
    if (fflush(stdout) != 0 || ferror(stdout))
        fail("standard output", "expected a writable output, found an error");

    close_detector(&detector);
    close_stream(&stream);
    if (file != stdin) fclose(file);
    return 0;
}
