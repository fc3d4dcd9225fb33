import FoundationEssentials
import HTTPTypes
import Logging
import Synchronization
import Trust
import XMPP

/// The requests that a node has served and sent: the last of them one by one, all of them as numbers, and each as a line in
/// the log where the owner wants that.
///
/// A request costs one lock and a few words of memory that is there already; nothing is written as text unless somebody reads it.
package final class RequestLog: Sendable {
  private struct State {
    var known = RequestRing(capacity: MeshLimits.recentRequests)
    var strangers = RequestRing(capacity: MeshLimits.recentRequests)
    var tallies = RequestTallies()
    /// Lines about strangers, so that they fill no disk.
    var strangerLines = TokenBucket(burst: MeshLimits.strangerLines, interval: MeshLimits.strangerLineInterval)
    var heldLines = 0
  }

  private let state = Mutex(State())
  private let underWay = Atomic<Int>(0)
  private let transfers = Atomic<Int>(0)
  /// nil where no lines are wanted.
  private let accessLogger: Logger?
  private let trace: Trace

  /// - Parameter accessLogger: for a line a request; nil for none.
  init(accessLogger: Logger?, trace: Trace) {
    self.accessLogger = accessLogger
    self.trace = trace
  }

  /// `ended` has to follow.
  func began() { underWay.wrappingAdd(1, ordering: .relaxed) }

  func ended(_ record: RequestRecord, of service: String?) {
    underWay.wrappingSubtract(1, ordering: .relaxed)
    let isStrangers = record.isOfStranger
    let held = state.withLock { state -> Int? in
      if isStrangers { state.strangers.append(record) } else { state.known.append(record) }
      state.tallies.count(record, of: service)
      guard accessLogger != nil else { return nil }
      guard !isStrangers || state.strangerLines.take(now: record.time) else {
        state.heldLines += 1
        return nil
      }
      defer { state.heldLines = 0 }
      return state.heldLines
    }
    if let held { write(record, behind: held) }
    if trace.isWatched { trace.tell(.request(record)) }
  }

  @inline(never) private func write(_ record: RequestRecord, behind held: Int) {
    if held > 0 { accessLogger?.info("requests of strangers, not logged", metadata: ["count": "\(held)"]) }
    accessLogger?.info("request", metadata: record.fields)
  }

  func transferBegan() { transfers.wrappingAdd(1, ordering: .relaxed) }
  func transferEnded() { transfers.wrappingSubtract(1, ordering: .relaxed) }

  /// The last ones, the newest first: of the owner and of friends, and of strangers.
  package var recent: [RequestRecord] {
    let all = state.withLock { $0.known.records + $0.strangers.records }
    return all.sorted { $0.time > $1.time }
  }

  /// Since the node began.
  package var tallies: RequestTallies { state.withLock { $0.tallies } }

  /// Requests without a whole answer, and bodies that are passed on in parts.
  package var load: (requests: Int, transfers: Int) {
    (underWay.load(ordering: .relaxed), transfers.load(ordering: .relaxed))
  }
}

/// The last few records, in memory that does not grow: a new one takes the place of the oldest.
struct RequestRing {
  private let capacity: Int
  private var all: [RequestRecord] = []
  /// Where the oldest is, once it is full.
  private var oldest = 0

  init(capacity: Int) {
    self.capacity = capacity
  }

  mutating func append(_ record: RequestRecord) {
    guard all.count == capacity else { return all.append(record) }
    all[oldest] = record
    oldest = (oldest + 1) % capacity
  }

  /// The oldest first.
  var records: [RequestRecord] { Array(all[oldest...] + all[..<oldest]) }
}
