/* Detects commands in audio with a speechgru model file and LiteRT's C API, hop by hop.
 *
 *     stream [--scores] [--threshold 0.5] MODEL.tflite AUDIO
 *
 * AUDIO is a WAV file (16-bit PCM, mono, 16 kHz), or - for raw 16-bit little-endian samples of the
 * same kind on standard input: `arecord -t raw -f S16_LE -r 16000 | stream MODEL.tflite -`.
 * The program prints a line `SECONDS LABEL SCORE` for each detected command. A label with spaces
 * is printed in double quotes. With --scores it prints the scores after every hop instead. Errors
 * are one line on standard error, with exit code 2. LiteRT also writes a line there when it starts
 * to run the model.
 *
 * The scores change while a word is spoken: the start of "off" may score as "up" for two hops.
 * Therefore the scores are smoothed over 0.2 s. A command is detected when its smoothed score is
 * the highest and reaches the threshold. It is detected again only after its smoothed score was
 * below the threshold, and no command is detected within a second of another.
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

enum { RATE = 16000, PAUSE_SAMPLES = RATE, MAX_TENSORS = 16, MAX_MODEL_BYTES = 1 << 28 };
static const float SMOOTHING_SAMPLES = 0.2f * RATE;

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
    if (length < 0 || length > MAX_MODEL_BYTES) fail(name, "%s no file of at most 256 MiB", expected);
    rewind(file);
    unsigned char *content = allocate((size_t)length + 1, 1);
    *size = fread(content, 1, (size_t)length, file);
    if (ferror(file)) fail(name, "%s: %s", expected, strerror(errno));
    fclose(file);
    return content;
}

/* Find labels.txt in the ZIP archive at the end of the file, where it is stored uncompressed. The
 * offsets are those of the ZIP format's end record, directory entries and local headers. */
static unsigned char *find_labels(unsigned char *content, size_t size, size_t *length) {
    if (size < 22 || memcmp(content + size - 22, "PK\5\6", 4) != 0) return NULL;
    const unsigned char *end = content + size - 22;
    uint64_t position = read_integer(end + 16, 4); /* 64 bits: sums of 32-bit offsets do not overflow */
    for (uint32_t left = read_integer(end + 10, 2); left > 0 && position + 46 + 10 <= size; left--) {
        const unsigned char *entry = content + position;
        uint32_t name_length = read_integer(entry + 28, 2);
        if (name_length == 10 && memcmp(entry + 46, "labels.txt", 10) == 0) {
            uint64_t start = read_integer(entry + 42, 4);
            bool uncompressed = read_integer(entry + 10, 2) == 0;
            if (!uncompressed || start + 30 > size) return NULL;
            start += 30 + read_integer(content + start + 26, 2) + read_integer(content + start + 28, 2);
            *length = read_integer(entry + 24, 4);
            return start + *length <= size ? content + start : NULL;
        }
        position += 46 + name_length + read_integer(entry + 30, 2) + read_integer(entry + 32, 2);
    }
    return NULL;
}

/* Read one label per line. Each newline is replaced by the end of a string. */
static void read_labels(Stream *stream, size_t size) {
    size_t length, count = 0;
    unsigned char *text = find_labels(stream->content, size, &length);
    if (text == NULL)
        fail(stream->name, "expected labels.txt in a ZIP archive at the end, found none");
    for (size_t i = 0; i < length; i++) count += text[i] == '\n';
    stream->labels = allocate(count + 1, sizeof *stream->labels);
    for (size_t start = 0, i = 0; i < length; i++) {
        if (text[i] != '\n') continue;
        text[i] = '\0';
        stream->labels[stream->label_count++] = (const char *)text + start;
        start = i + 1;
    }
}

static size_t find_signature(LiteRtModel model, LiteRtSignature *signature, const char *name) {
    size_t count = 0;
    const char *key;
    check(LiteRtGetNumModelSignatures(model, &count), name, "signatures");
    for (size_t i = 0; i < count; i++) {
        check(LiteRtGetModelSignature(model, i, signature), name, "signatures");
        check(LiteRtGetSignatureKey(*signature, &key), name, "signatures");
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

static void open_stream(Stream *stream, const char *name) {
    size_t size;
    LiteRtSignature signature;
    LiteRtOptions options;
    const LiteRtEnvOption settings[] = {
        /* Without these, LiteRT writes lines about errors and looks for graphics processors. */
        {kLiteRtEnvOptionTagMinLoggerSeverity, {kLiteRtAnyTypeInt, {kLiteRtLogSeveritySilent}}},
        {kLiteRtEnvOptionTagAutoRegisterAccelerators,
         {kLiteRtAnyTypeInt, {kLiteRtHwAcceleratorCpu}}},
    };
    stream->name = name;
    stream->content = read_file(name, &size);
    check(LiteRtCreateEnvironment(2, settings, &stream->environment), name, "LiteRT to start");
    check(LiteRtCreateModelFromBuffer(stream->environment, stream->content, size, &stream->model),
          name, "a TFLite model");
    stream->signature = find_signature(stream->model, &signature, name);
    read_labels(stream, size);
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
    free(stream->content); /* last: the model reads from it */
}

/* ---- The audio ---- */

static void skip(FILE *file, uint64_t count) { /* by reading, because a pipe cannot seek */
    while (count > 0 && getc(file) != EOF) count--;
}

/* Read a WAV file up to its samples and return their size in bytes. A program that cannot seek
 * writes a size of 0, which stands for all that follows. */
static uint64_t open_wav(FILE *file, const char *name) {
    const char *expected = "expected a WAV file of 16-bit PCM, mono, 16000 Hz, found";
    unsigned char header[40];
    bool known = false;
    if (fread(header, 1, 12, file) != 12 || memcmp(header, "RIFF", 4) != 0 ||
        memcmp(header + 8, "WAVE", 4) != 0)
        fail(name, "%s: %s", expected, ferror(file) ? strerror(errno) : "another file");
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
                fail(name, "%s: %u-bit %s, %u channel(s), %u Hz", expected, bits,
                     kind == 1 ? "PCM" : "samples of another kind", channels, rate);
            known = true;
        }
        skip(file, (uint64_t)length - taken + length % 2); /* chunks start at even offsets */
    }
    fail(name, "%s a file that ends in its header", expected);
}

/* ---- Detections ---- */

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
    for (size_t i = 0; i < count; i++) printf("%.6f%c", scores[i], i + 1 < count ? ' ' : '\n');
}

typedef struct {
    size_t count;         /* of the labels */
    float *smoothed;      /* scores smoothed over time */
    size_t active;        /* the last command, while its smoothed score is high; else `count` */
    uint64_t detected_at; /* samples; 0 before the first detection */
} Detector;

/* Smooth the scores of a hop and return the label that is detected, or `count` for none. */
static size_t detect(Detector *detector, const Stream *stream, const float *scores, uint64_t time,
                     double threshold) {
    float weight = (float)stream->in.sizes[stream->audio] / SMOOTHING_SAMPLES;
    float *smoothed = detector->smoothed;
    size_t best = 0;
    for (size_t i = 0; i < detector->count; i++) {
        smoothed[i] += weight * (scores[i] - smoothed[i]);
        if (smoothed[i] > smoothed[best]) best = i;
    }
    if (detector->active < detector->count && smoothed[detector->active] < threshold)
        detector->active = detector->count;
    bool in_pause = detector->detected_at > 0 && time - detector->detected_at < PAUSE_SAMPLES;
    if (smoothed[best] < threshold || best == detector->active || in_pause) return detector->count;
    const char *label = stream->labels[best];
    if (strcmp(label, "unknown") == 0 || strcmp(label, "silence") == 0) return detector->count;
    detector->active = best;
    detector->detected_at = time;
    return best;
}

int main(int argc, char **argv) {
    bool only_scores = false;
    double threshold = 0.5;
    int argument = 1;
    for (; argument < argc && strncmp(argv[argument], "--", 2) == 0; argument++) {
        char *end = "";
        if (strcmp(argv[argument], "--scores") == 0)
            only_scores = true;
        else if (strcmp(argv[argument], "--threshold") == 0 && argument + 1 < argc)
            threshold = strtod(argv[++argument], &end);
        else
            break;
        if (*end != '\0' || !(threshold > 0 && threshold <= 1))
            fail("--threshold", "expected a number above 0 and up to 1, found %s", argv[argument]);
    }
    if (argc - argument != 2)
        fail(argv[0], "expected [--scores] [--threshold 0.5] MODEL.tflite AUDIO.wav (or -)");

    const char *name = argv[argument + 1];
    FILE *file = stdin;
    uint64_t left = UINT64_MAX; /* bytes; standard input does not state its size */
    if (strcmp(name, "-") != 0) {
        file = fopen(name, "rb");
        if (file == NULL) fail(name, "expected a WAV file, found: %s", strerror(errno));
        left = open_wav(file, name);
    }
    Stream stream = {0};
    open_stream(&stream, argv[argument]);

    size_t hop = stream.in.sizes[stream.audio], count = stream.label_count;
    float *audio = stream.in.values[stream.audio];
    unsigned char *bytes = allocate(hop, 2);
    Detector detector = {count, allocate(count, sizeof(float)), count, 0};
    uint64_t time = 0;                     /* samples */
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* a pipe receives each line at once */
    /* Only LiteRT allocates memory per hop. */
    for (; left >= 2 * hop && fread(bytes, 2, hop, file) == hop; left -= 2 * hop) {
        for (size_t i = 0; i < hop; i++)
            audio[i] = (int16_t)read_integer(bytes + 2 * i, 2) / 32768.0f;
        const float *scores = step(&stream);
        time += hop;
        if (only_scores) {
            print_scores(scores, count);
            continue;
        }
        size_t detected = detect(&detector, &stream, scores, time, threshold);
        if (detected == count) continue;
        printf("%.2f ", (double)time / RATE);
        print_label(stream.labels[detected]);
        printf(" %.3f\n", scores[detected]);
    }
    if (ferror(file)) fail(name, "expected audio, found: %s", strerror(errno));
    if (fflush(stdout) != 0 || ferror(stdout))
        fail("standard output", "expected a writable output, found an error");

    free(detector.smoothed);
    free(bytes);
    if (file != stdin) fclose(file);
    close_stream(&stream);
    return 0;
}
