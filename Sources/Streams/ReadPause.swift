import Bytestreams
import NIOCore

/// When a stream is not read for a moment, because rows of chunks come faster than their readers take them. Their senders wait for
/// no answers, so that the socket alone can slow them down; bytestreams never need this.
///
/// A reader that is only somewhat slower than the link keeps up so. One that does not take `Limits.pausedBytes` within
/// `Timeouts.readPause` holds up nobody any longer: the stream is read on, and what comes beyond
/// `BytestreamLimits.unreadBytes` ends its row. It may pause the stream again once it has caught up.
struct ReadPause {
  private enum State {
    case pausing(until: NIODeadline)
    /// It was waited for in vain.
    case lagging
  }

  private var rows: [TransferID: State] = [:]
  /// When to call `expire`; nil while the stream is read.
  private(set) var deadline: NIODeadline?

  var isPaused: Bool { deadline != nil }

  /// So many bytes of this row wait for their reader now; none where it has ended.
  mutating func changed(_ id: TransferID, unread: Int, now: NIODeadline) {
    if unread <= Limits.unreadInPause - Limits.pausedBytes {
      guard rows.removeValue(forKey: id) != nil else { return }
      note()
    } else if unread > Limits.unreadInPause, rows[id] == nil {
      rows[id] = .pausing(until: now + Timeouts.readPause)
      note()
    }
  }

  mutating func expire(now: NIODeadline) {
    rows = rows.mapValues { if case .pausing(let until) = $0, until <= now { .lagging } else { $0 } }
    note()
  }

  private mutating func note() {
    deadline = rows.values.compactMap { if case .pausing(let until) = $0 { until } else { nil } }.min()
  }
}
