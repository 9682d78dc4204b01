#pragma once
// A disk that fails on demand: an SQLite file layer over the default one. It
// refuses writes or syncs, and remembers what was synced, so that a test can
// cut the power and find on disk what a real one might have kept.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace journal_test {

class faulty_disk {
 public:
  /// Registers itself with SQLite under name() while it lives. One at a time.
  faulty_disk();
  ~faulty_disk();
  faulty_disk(const faulty_disk&) = delete;
  faulty_disk& operator=(const faulty_disk&) = delete;
  const std::string& name() const noexcept { return name_; }

  /// Called before each write; a result other than 0 is what SQLite gets instead.
  void on_write(std::function<int(const std::string& path)> fault);
  /// Called before each sync, by several threads at once; writes and other syncs go on meanwhile.
  void on_sync(std::function<int(const std::string& path)> fault);
  int syncs();

  /// What would be on disk if the power failed now.
  struct remains;
  std::shared_ptr<const remains> cut_power();
  /// Puts it on the real disk, once nobody has the files open. Of what was written and
  /// not synced, each piece is kept or lost as `keep` says.
  static void restore(const remains& left, const std::function<bool()>& keep);

  struct world;

 private:
  std::string name_;
  std::unique_ptr<world> world_;
};

}  // namespace journal_test
