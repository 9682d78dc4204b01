// The file layer: every call goes to the default layer, writes and syncs are
// asked about first and recorded.
#include "faulty_disk.hpp"

#include <sqlite3.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>
#include <shared_mutex>
#include <stdexcept>

namespace journal_test {

namespace {

constexpr std::size_t sector = 512;

/// One write, or a truncation when `bytes` is empty.
struct change {
  std::int64_t offset;
  std::string bytes;

  void apply(std::string& content) const {
    if (bytes.empty()) {
      content.resize(static_cast<std::size_t>(offset));
      return;
    }
    const auto end = static_cast<std::size_t>(offset) + bytes.size();
    if (content.size() < end) content.resize(end);
    content.replace(static_cast<std::size_t>(offset), bytes.size(), bytes);
  }
};

struct file_state {
  std::string synced;
  std::vector<change> unsynced;
};

}  // namespace

struct faulty_disk::remains {
  std::map<std::string, file_state> files;
};

struct faulty_disk::world {
  std::mutex mutex;
  std::shared_mutex sync_fault_mutex;
  std::map<std::string, file_state> files;
  std::function<int(const std::string&)> write_fault, sync_fault;
  int syncs = 0;
  sqlite3_vfs* real = nullptr;
  sqlite3_vfs layer{};
};

namespace {

struct shim {
  sqlite3_file base;
  faulty_disk::world* world;
  std::string* path;
  sqlite3_file* real;
};

shim* of(sqlite3_file* file) { return reinterpret_cast<shim*>(file); }

int close_file(sqlite3_file* file) {
  shim* self = of(file);
  const int code = self->real->pMethods ? self->real->pMethods->xClose(self->real) : SQLITE_OK;
  delete self->path;
  return code;
}
int read_file(sqlite3_file* file, void* out, int size, sqlite3_int64 offset) {
  return of(file)->real->pMethods->xRead(of(file)->real, out, size, offset);
}
int write_file(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  shim* self = of(file);
  std::lock_guard lock(self->world->mutex);
  if (self->world->write_fault)
    if (const int code = self->world->write_fault(*self->path); code != SQLITE_OK) return code;
  const int code = self->real->pMethods->xWrite(self->real, data, size, offset);
  if (code == SQLITE_OK)
    self->world->files[*self->path].unsynced.push_back(
        {offset, std::string(static_cast<const char*>(data), static_cast<std::size_t>(size))});
  return code;
}
int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  shim* self = of(file);
  std::lock_guard lock(self->world->mutex);
  const int code = self->real->pMethods->xTruncate(self->real, size);
  if (code == SQLITE_OK) self->world->files[*self->path].unsynced.push_back({size, {}});
  return code;
}
int sync_file(sqlite3_file* file, int flags) {
  shim* self = of(file);
  {
    // Not under the mutex: a slow sync holds up nobody else.
    std::shared_lock calling(self->world->sync_fault_mutex);
    if (self->world->sync_fault)
      if (const int code = self->world->sync_fault(*self->path); code != SQLITE_OK) return code;
  }
  std::lock_guard lock(self->world->mutex);
  const int code = self->real->pMethods->xSync(self->real, flags);
  if (code == SQLITE_OK) {
    file_state& state = self->world->files[*self->path];
    for (const change& each : state.unsynced) each.apply(state.synced);
    state.unsynced.clear();
    ++self->world->syncs;
  }
  return code;
}
int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return of(file)->real->pMethods->xFileSize(of(file)->real, size);
}
int lock_file(sqlite3_file* file, int level) { return of(file)->real->pMethods->xLock(of(file)->real, level); }
int unlock_file(sqlite3_file* file, int level) { return of(file)->real->pMethods->xUnlock(of(file)->real, level); }
int check_lock(sqlite3_file* file, int* out) {
  return of(file)->real->pMethods->xCheckReservedLock(of(file)->real, out);
}
int control(sqlite3_file* file, int what, void* argument) {
  return of(file)->real->pMethods->xFileControl(of(file)->real, what, argument);
}
int sector_size(sqlite3_file* file) { return of(file)->real->pMethods->xSectorSize(of(file)->real); }
int characteristics(sqlite3_file* file) { return of(file)->real->pMethods->xDeviceCharacteristics(of(file)->real); }
int map_shared(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
  return of(file)->real->pMethods->xShmMap(of(file)->real, page, size, extend, out);
}
int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
  return of(file)->real->pMethods->xShmLock(of(file)->real, offset, count, flags);
}
void barrier(sqlite3_file* file) { of(file)->real->pMethods->xShmBarrier(of(file)->real); }
int unmap_shared(sqlite3_file* file, int remove) { return of(file)->real->pMethods->xShmUnmap(of(file)->real, remove); }

constexpr sqlite3_io_methods methods{2,         close_file,   read_file,       write_file,  truncate_file,
                                     sync_file, file_size,    lock_file,       unlock_file, check_lock,
                                     control,   sector_size,  characteristics, map_shared,  lock_shared,
                                     barrier,   unmap_shared, nullptr,         nullptr};

int open_file(sqlite3_vfs* layer, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* world = static_cast<faulty_disk::world*>(layer->pAppData);
  shim* self = of(file);
  self->world = world;
  self->path = new std::string(name ? name : "");
  self->real = reinterpret_cast<sqlite3_file*>(self + 1);
  const int code = world->real->xOpen(world->real, name, self->real, flags, out_flags);
  if (code != SQLITE_OK) {
    delete self->path;
    self->base.pMethods = nullptr;
    return code;
  }
  self->base.pMethods = &methods;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* layer, const char* name, int sync_directory) {
  auto* world = static_cast<faulty_disk::world*>(layer->pAppData);
  std::lock_guard lock(world->mutex);
  world->files.erase(name);
  return world->real->xDelete(world->real, name, sync_directory);
}

}  // namespace

faulty_disk::faulty_disk() : name_("faulty_disk"), world_(std::make_unique<world>()) {
  world_->real = sqlite3_vfs_find(nullptr);
  world_->layer = *world_->real;  // the rest of the calls are the default layer's own
  world_->layer.zName = name_.c_str();
  world_->layer.pNext = nullptr;
  world_->layer.szOsFile = static_cast<int>(sizeof(shim)) + world_->real->szOsFile;
  world_->layer.pAppData = world_.get();
  world_->layer.xOpen = open_file;
  world_->layer.xDelete = delete_file;
  // The default layer finds its locking style in pAppData: hand it its own record.
  world_->layer.xAccess = [](sqlite3_vfs* layer, const char* path, int flags, int* out) {
    sqlite3_vfs* real = static_cast<world*>(layer->pAppData)->real;
    return real->xAccess(real, path, flags, out);
  };
  world_->layer.xFullPathname = [](sqlite3_vfs* layer, const char* path, int size, char* out) {
    sqlite3_vfs* real = static_cast<world*>(layer->pAppData)->real;
    return real->xFullPathname(real, path, size, out);
  };
  if (sqlite3_vfs_register(&world_->layer, 0) != SQLITE_OK) throw std::runtime_error("sqlite3_vfs_register");
}

faulty_disk::~faulty_disk() { sqlite3_vfs_unregister(&world_->layer); }

void faulty_disk::on_write(std::function<int(const std::string&)> fault) {
  std::lock_guard lock(world_->mutex);
  world_->write_fault = std::move(fault);
}

void faulty_disk::on_sync(std::function<int(const std::string&)> fault) {
  std::unique_lock lock(world_->sync_fault_mutex);
  world_->sync_fault = std::move(fault);
}

int faulty_disk::syncs() {
  std::lock_guard lock(world_->mutex);
  return world_->syncs;
}

std::shared_ptr<const faulty_disk::remains> faulty_disk::cut_power() {
  std::lock_guard lock(world_->mutex);
  return std::make_shared<remains>(remains{world_->files});
}

void faulty_disk::restore(const remains& left, const std::function<bool()>& keep) {
  for (const auto& [path, state] : left.files) {
    std::string content = state.synced;
    for (const change& each : state.unsynced) {
      if (each.bytes.empty()) {
        if (keep()) each.apply(content);
        continue;
      }
      // A disk keeps or loses whole sectors.
      for (std::size_t from = 0; from < each.bytes.size(); from += sector)
        if (keep())
          change{each.offset + static_cast<std::int64_t>(from), each.bytes.substr(from, sector)}.apply(content);
    }
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
    std::filesystem::remove(path + "-shm");
  }
}

}  // namespace journal_test
