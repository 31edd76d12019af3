/* The declarations of LiteRT's C API that stream.c uses.
 *
 * They are those of LiteRT 2.3.0 and are valid from 2.1.6 on: before 2.1.6,
 * LiteRtCreateModelFromBuffer took no environment. The library's packages for Python and Android
 * contain no headers. LiteRT's own headers are in litert_cc_sdk.zip with each release of
 * https://github.com/google-ai-edge/LiteRT and can replace this file.
 */

#ifndef SPEECHGRU_LITERT_H
#define SPEECHGRU_LITERT_H

#include <stddef.h>
#include <stdint.h>

typedef struct LiteRtEnvironmentT *LiteRtEnvironment;
typedef struct LiteRtModelT *LiteRtModel;
typedef struct LiteRtSignatureT *LiteRtSignature;
typedef struct LiteRtTensorT *LiteRtTensor;
typedef struct LiteRtOptionsT *LiteRtOptions;
typedef struct LiteRtCompiledModelT *LiteRtCompiledModel;
typedef struct LiteRtTensorBufferT *LiteRtTensorBuffer;
typedef struct LiteRtTensorBufferRequirementsT *LiteRtTensorBufferRequirements;

typedef enum { kLiteRtStatusOk = 0 } LiteRtStatus; /* every other value is an error */

enum { kLiteRtElementTypeFloat32 = 1, kLiteRtHwAcceleratorCpu = 1, kLiteRtLogSeveritySilent = 4 };

/* An option of the environment: a tag and a value, here always an integer. */
enum {
    kLiteRtEnvOptionTagAutoRegisterAccelerators = 24, /* a set of kLiteRtHwAccelerator... */
    kLiteRtEnvOptionTagMinLoggerSeverity = 25,
    kLiteRtAnyTypeInt = 2
};
typedef struct {
    int type; /* kLiteRtAnyType... */
    union {
        int64_t int_value;
        const void *ptr_value;
    };
} LiteRtAny;
typedef struct {
    int tag; /* kLiteRtEnvOptionTag... */
    LiteRtAny value;
} LiteRtEnvOption;

/* A tensor's type and shape. */
typedef struct {
    unsigned rank : 7, has_strides : 1;
    int32_t dimensions[8];
    uint32_t strides[8];
} LiteRtLayout;
typedef struct {
    int element_type; /* kLiteRtElementType... */
    LiteRtLayout layout;
} LiteRtRankedTensorType;

_Static_assert(sizeof(LiteRtEnvOption) == 24 || sizeof(void *) != 8, "not LiteRT's layout");
_Static_assert(sizeof(LiteRtRankedTensorType) == 72, "not LiteRT's layout");

LiteRtStatus LiteRtCreateEnvironment(int count, const LiteRtEnvOption *options,
                                     LiteRtEnvironment *environment);
void LiteRtDestroyEnvironment(LiteRtEnvironment environment);

/* The buffer must stay valid as long as the model. */
LiteRtStatus LiteRtCreateModelFromBuffer(LiteRtEnvironment environment, const void *buffer,
                                         size_t size, LiteRtModel *model);
void LiteRtDestroyModel(LiteRtModel model);

LiteRtStatus LiteRtGetNumModelSignatures(LiteRtModel model, size_t *count);
LiteRtStatus LiteRtGetModelSignature(LiteRtModel model, size_t index, LiteRtSignature *signature);
LiteRtStatus LiteRtGetSignatureKey(LiteRtSignature signature, const char **key);
LiteRtStatus LiteRtGetNumSignatureInputs(LiteRtSignature signature, size_t *count);
LiteRtStatus LiteRtGetNumSignatureOutputs(LiteRtSignature signature, size_t *count);
LiteRtStatus LiteRtGetSignatureInputName(LiteRtSignature signature, size_t index,
                                         const char **name);
LiteRtStatus LiteRtGetSignatureOutputName(LiteRtSignature signature, size_t index,
                                          const char **name);
LiteRtStatus LiteRtGetSignatureInputTensorByIndex(LiteRtSignature signature, size_t index,
                                                  LiteRtTensor *tensor);
LiteRtStatus LiteRtGetSignatureOutputTensorByIndex(LiteRtSignature signature, size_t index,
                                                   LiteRtTensor *tensor);
LiteRtStatus LiteRtGetRankedTensorType(LiteRtTensor tensor, LiteRtRankedTensorType *type);

LiteRtStatus LiteRtCreateOptions(LiteRtOptions *options);
LiteRtStatus LiteRtSetOptionsHardwareAccelerators(LiteRtOptions options, int accelerators);
void LiteRtDestroyOptions(LiteRtOptions options);

LiteRtStatus LiteRtCreateCompiledModel(LiteRtEnvironment environment, LiteRtModel model,
                                       LiteRtOptions options, LiteRtCompiledModel *compiled);
LiteRtStatus LiteRtGetCompiledModelInputBufferRequirements(
    LiteRtCompiledModel compiled, size_t signature, size_t input,
    LiteRtTensorBufferRequirements *requirements);
LiteRtStatus LiteRtGetCompiledModelOutputBufferRequirements(
    LiteRtCompiledModel compiled, size_t signature, size_t output,
    LiteRtTensorBufferRequirements *requirements);
LiteRtStatus LiteRtRunCompiledModel(LiteRtCompiledModel compiled, size_t signature,
                                    size_t input_count, LiteRtTensorBuffer *inputs,
                                    size_t output_count, LiteRtTensorBuffer *outputs);
void LiteRtDestroyCompiledModel(LiteRtCompiledModel compiled);

LiteRtStatus LiteRtCreateManagedTensorBufferFromRequirements(
    LiteRtEnvironment environment, const LiteRtRankedTensorType *type,
    LiteRtTensorBufferRequirements requirements, LiteRtTensorBuffer *buffer);
LiteRtStatus LiteRtGetTensorBufferHostMemory(LiteRtTensorBuffer buffer, void **memory);
void LiteRtDestroyTensorBuffer(LiteRtTensorBuffer buffer);

#endif
