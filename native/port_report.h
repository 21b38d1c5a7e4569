#pragma once
#include <napi.h>

#include "sys/frame_io.h"

namespace netloom {

// What ports report beside their results, by place in Environment::report.
enum Report {
  // receive(): `kLost` is frames that the kernel dropped (captures), `kTaken` bytes.
  kCursor = 0,
  kError = 1,
  kCut = 2,
  kLost = 3,
  kTaken = 4,
  // send…()
  kFailedLength = 0,
  kSent = 1,
  kDropped = 2,
  kFailedIndex = 3,
  kFailedError = 4,
  kSendError = 5,
  kBytes = 6,
  kBytesHigh = 7,
  kRefused = 8,
  // Kept by JavaScript: where frames go that are read before it is told of them.
  kRoomSlab = 16,
  kRoomCursor = 17,
  kRoomFirst = 18,
  kReportSize = 20
};

// What receive() and send() of ports return, beside counts: nothing was tried, the turn's share is used up.
constexpr int32_t kBudgetSpent = -4096;
// What receive() answers when the next frame does not fit into what is left of the slab.
constexpr int32_t kNoRoom = -4097;
// What onReady() is told where nothing was read beforehand.
constexpr int32_t kNothingRead = -4098;

inline void tell(int32_t* report, const WriteReport& done) {
  report[kSent] = static_cast<int32_t>(done.sent);
  report[kDropped] = static_cast<int32_t>(done.dropped);
  report[kFailedLength] = static_cast<int32_t>(done.failed_length);
  report[kFailedIndex] = static_cast<int32_t>(done.failed_index);
  report[kFailedError] = done.failed_error;
  report[kSendError] = done.error;
  report[kBytes] = static_cast<int32_t>(done.bytes);
  report[kBytesHigh] = static_cast<int32_t>(done.bytes >> 32);
  report[kRefused] = done.refused;
}

}  // namespace netloom
