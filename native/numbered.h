#pragma once
#include <stdint.h>

#include <vector>

namespace netloom {

// Objects that JavaScript names by number in calls that are made for each batch: to unwrap an object, Node-API looks a
// private property up, which costs more than the rest of such a call.
//
// Lives until its environment has dropped it and no object is in it, in whichever order they are finalized.
// (std::shared_ptr would need a later C library.)
template <typename T>
class Numbered {
 public:
  uint32_t add(T& object) {
    references_++;
    if (free_.empty()) {
      objects_.push_back(&object);
      return static_cast<uint32_t>(objects_.size() - 1);
    }
    const uint32_t number = free_.back();
    free_.pop_back();
    objects_[number] = &object;
    return number;
  }

  void remove(uint32_t number) {
    objects_[number] = nullptr;
    free_.push_back(number);
    drop();
  }

  // Null for a number that names nothing.
  T* find(uint32_t number) const { return number < objects_.size() ? objects_[number] : nullptr; }

  void drop() {
    if (--references_ == 0) delete this;
  }

 private:
  ~Numbered() = default;

  int references_ = 1;
  std::vector<T*> objects_;
  std::vector<uint32_t> free_;
};

}  // namespace netloom
