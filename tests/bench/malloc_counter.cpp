// Preloaded into the proxy by the benchmark: counts allocations and syncs of
// every thread while it runs. The counters are in a mapped file, named by
// BENCH_COUNTERS, so that they can be read at any moment from outside: one
// record of eight 64-bit numbers per thread, the first of which is its id.
#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

// glibc's own allocator, under the names that it keeps for this purpose.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* old);
}

namespace {

struct counters {
  std::uint64_t thread, allocations, bytes, syncs, sync_nanoseconds, unused[3];
};
constexpr std::size_t most_threads = 128;
constexpr std::size_t file_size = most_threads * sizeof(counters);

counters overflow;  ///< without a file, and for threads beyond the last record
std::atomic<std::size_t> threads{0};
thread_local counters* own = nullptr;

counters* records() {
  static counters* const mapped = [] {
    const char* path = std::getenv("BENCH_COUNTERS");
    const int file = path == nullptr ? -1 : ::open(path, O_RDWR | O_CLOEXEC);
    if (file < 0 || ::ftruncate(file, file_size) != 0) return static_cast<counters*>(nullptr);
    void* memory = ::mmap(nullptr, file_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    return memory == MAP_FAILED ? nullptr : static_cast<counters*>(memory);
  }();
  return mapped;
}

counters& mine() {
  if (own == nullptr) {
    own = &overflow;  // nothing below may come back here
    counters* all = records();
    const std::size_t at = threads.fetch_add(1);
    if (all != nullptr && at < most_threads) {
      own = all + at;
      own->thread = static_cast<std::uint64_t>(::syscall(SYS_gettid));
    }
  }
  return *own;
}

void count(std::size_t bytes) {
  counters& to = mine();
  ++to.allocations;
  to.bytes += bytes;
}

int synced(long call, int file) {
  counters& to = mine();
  timespec begun{}, ended{};
  ::clock_gettime(CLOCK_MONOTONIC, &begun);
  const long result = ::syscall(call, file);
  const int why = errno;
  ::clock_gettime(CLOCK_MONOTONIC, &ended);
  ++to.syncs;
  to.sync_nanoseconds +=
      static_cast<std::uint64_t>((ended.tv_sec - begun.tv_sec) * 1'000'000'000L + (ended.tv_nsec - begun.tv_nsec));
  errno = why;
  return static_cast<int>(result);
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) {
  count(size);
  return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) {
  count(number * size);
  return __libc_calloc(number, size);
}
void* realloc(void* old, std::size_t size) {
  count(size);
  return __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  count(size);
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }
int posix_memalign(void** into, std::size_t alignment, std::size_t size) {
  *into = memalign(alignment, size);
  return *into == nullptr ? ENOMEM : 0;
}
void free(void* old) { __libc_free(old); }
int fsync(int file) { return synced(SYS_fsync, file); }
int fdatasync(int file) { return synced(SYS_fdatasync, file); }

}  // extern "C"

// The proxy's allocator replaces these too: they have to come here first.
void* operator new(std::size_t size) {
  if (void* made = malloc(size)) return made;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return malloc(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return malloc(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  if (void* made = memalign(static_cast<std::size_t>(alignment), size)) return made;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size, std::align_val_t alignment) { return operator new(size, alignment); }
void operator delete(void* old) noexcept { free(old); }
void operator delete[](void* old) noexcept { free(old); }
void operator delete(void* old, std::size_t) noexcept { free(old); }
void operator delete[](void* old, std::size_t) noexcept { free(old); }
void operator delete(void* old, std::align_val_t) noexcept { free(old); }
void operator delete[](void* old, std::align_val_t) noexcept { free(old); }
void operator delete(void* old, std::size_t, std::align_val_t) noexcept { free(old); }
void operator delete[](void* old, std::size_t, std::align_val_t) noexcept { free(old); }
