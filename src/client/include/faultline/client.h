/* Faultline's crash client: link it, call faultline_init() once, and a crash of this program
 * becomes a minidump in a spool directory, and from there a report on a server.
 * Not the writer of the dump: that is faultline-handler, a small process that this starts.
 *
 * Strings given are copied. Every function may be called at any time from any thread, also before
 * faultline_init() and after it failed: it then does nothing and says so. Functions marked
 * "signal-safe" may be called in a signal handler. None aborts, throws or writes to stderr.
 * Functions return 0 (or a positive note) when they worked, else minus one of FAULTLINE_E_….
 * Guarantees, linking and examples: docs/client.md
 */
#ifndef FAULTLINE_CLIENT_H
#define FAULTLINE_CLIENT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define FAULTLINE_API __attribute__((visibility("default")))
#else
#define FAULTLINE_API
#endif

enum {
  FAULTLINE_CUT = 1,        /* stored, but cut to the size of its slot */
  FAULTLINE_E_ARGUMENT = 1, /* a null or too long argument, or a configuration without a spool */
  FAULTLINE_E_STATE = 2,    /* not initialised, or initialised already */
  FAULTLINE_E_MEMORY = 3,   /* no shared memory */
  FAULTLINE_E_SOCKET = 4,   /* no socket pair */
  FAULTLINE_E_HANDLER = 5,  /* faultline-handler was not found or could not be started */
  FAULTLINE_E_TIMEOUT = 6,  /* the handler did not answer in time */
  FAULTLINE_E_SPOOL = 7,    /* the handler cannot use the spool directory */
  FAULTLINE_E_FULL = 8,     /* all annotation slots are taken */
  FAULTLINE_E_BUSY = 9,     /* the slot is being written elsewhere */
  FAULTLINE_E_DUMP = 10     /* the dump was not written */
};

/* Longest key and value of an annotation, without the closing zero, and how many there may be. */
#define FAULTLINE_KEY_MAX 63
#define FAULTLINE_VALUE_MAX 1023
#define FAULTLINE_ANNOTATIONS_MAX 64

/* Bits of faultline_config.flags. */
enum {
  FAULTLINE_KEEP_STDERR = 1 << 0,  /* the handler keeps this program's stderr, for its complaints */
  FAULTLINE_COMMAND_LINE = 1 << 1, /* put the command line into the dump */
  FAULTLINE_ENVIRONMENT = 1 << 2   /* put the environment into the dump: it may hold secrets */
};

/* Zero it, set `size`, and what you need; zero and null mean the default. */
typedef struct faultline_config {
  uint32_t size;     /* sizeof(faultline_config): new members come at the end */
  uint32_t flags;    /* FAULTLINE_KEEP_STDERR… */
  const char* spool; /* required: a directory of this product; made when it is missing */
  const char* url;   /* where reports go, e.g. "https://crash.example/submit"; none: keep */
  const char* product;
  const char* version;
  const char* build;
  const char* channel;
  const char*
      handler_path;     /* default: $FAULTLINE_HANDLER, then beside the program, then installed */
  uint32_t deadline_ms; /* longest wait of a crashing process for its dump; default 10000 */
  uint32_t start_timeout_ms; /* longest wait of faultline_init(); default 5000 */
  uint64_t max_dump_bytes;   /* default 16 MiB */
} faultline_config;

/* Starts the handler, installs handlers for SEGV BUS ILL FPE ABRT TRAP SYS, and gives the calling
 * thread an alternate signal stack. In a forked child it may be called again: the child then has
 * its own handler. Without that, the child shares its parent's handler and annotations. */
FAULTLINE_API int faultline_init(const faultline_config* config);

/* Puts the old signal handlers back and lets the handler process go. */
FAULTLINE_API void faultline_shutdown(void);

/* Sets an annotation, which every later dump carries; a null value removes it. Signal-safe.
 * Returns FAULTLINE_CUT when the value was longer than FAULTLINE_VALUE_MAX. */
FAULTLINE_API int faultline_set(const char* key, const char* value);

/* Writes a dump of the program as it is, without a crash; the program goes on. `note` may be null.
 * Waits until the dump is in the spool. */
FAULTLINE_API int faultline_dump(const char* note);

/* Gives the calling thread an alternate signal stack, so that it can report its own stack
 * overflow. Threads made with pthread_create() after faultline_init() get one by themselves; this
 * is for others (clone(), older threads). `name` may be null. Returns 0 also when it has one. */
FAULTLINE_API int faultline_thread_enter(const char* name);
FAULTLINE_API void faultline_thread_leave(void);

/* Called on the crashing thread before anything else, for runtimes that use faults themselves.
 * A non-zero answer means: dealt with, carry on. It may also leave by siglongjmp(). It runs in the
 * signal handler, with its siginfo_t* and ucontext_t*; a fault in it counts as a crash. A null
 * function removes it. */
typedef int (*faultline_first_chance_function)(int signal_number, void* info, void* context,
                                               void* user);
FAULTLINE_API void faultline_first_chance(faultline_first_chance_function function, void* user);

/* The pid of the handler process, or 0. */
FAULTLINE_API int faultline_handler_pid(void);

/* A sentence for an answer of the functions above. */
FAULTLINE_API const char* faultline_error_text(int answer);

#ifdef __cplusplus
}
#endif

#endif
