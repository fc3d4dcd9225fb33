package import FoundationEssentials
import Codecs
import HTTPTypes
import HTTPX
import Streams

/// When something is tried again that came to nothing: nothing else decides that.
///
/// | what came to nothing | tried again | how often |
/// | --- | --- | --- |
/// | a stream was dead before anything of the request was sent | any request, over a stream that is dialled | once |
/// | a stream ended before anything of the answer came | what is repeatable: its method is idempotent (RFC 9110 §9.2.2), and its body is at hand | once |
/// | a device cannot be reached (`away`, `refused`) that was seen within `MeshLimits.recently` | any request, as nothing of it was sent: when the device is announced again, and every `MeshLimits.retry` | until the asker's patience is over |
/// | a request of friendship met a stream that was being terminated (`forbidden`) | it, over a fresh stream | once |
///
/// Once anything of an answer was handed over, nothing is tried again. Dials try every address of a device, and are not
/// repeated by themselves.
struct RetryPolicy {
  enum Decision: Equatable {
    case now
    case whenReachable(until: ContinuousClock.Instant)
    case never
  }

  private let isRepeatable: Bool
  private let deadline: ContinuousClock.Instant
  private var hasRedialled = false
  private var hasRepeated = false

  /// - Parameter deadline: until when a device that cannot be reached is waited for.
  init(isRepeatable: Bool, deadline: ContinuousClock.Instant) {
    self.isRepeatable = isRepeatable
    self.deadline = deadline
  }

  /// The stream failed before anything of an answer came.
  mutating func failed(_ failure: StreamFailure) -> Decision {
    switch failure {
    case .unsent where !hasRedialled:
      hasRedialled = true
      return .now
    case .closed where isRepeatable && !hasRepeated:
      hasRepeated = true
      return .now
    case .unsent, .closed, .stanza, .timedOut, .insecure, .malformed, .notHTTP, .noUpgrade, .incomplete, .cancelled:
      return .never
    }
  }

  /// There was no stream to send anything over.
  func failed(_ error: MeshError, now: ContinuousClock.Instant) -> Decision {
    guard now < deadline, error.mayPass(now: Date()) else { return .never }
    return .whenReachable(until: min(deadline, now + MeshLimits.retry))
  }

  /// A request of friendship came to nothing: what was over on the former stream is not what is asked for now.
  mutating func failedToAsk(_ error: MeshError) -> Decision {
    guard error.code == .forbidden, !hasRepeated else { return .never }
    hasRepeated = true
    return .now
  }
}

extension MeshError {
  /// The device was here lately, and nothing has reached it.
  package func mayPass(now: Date) -> Bool {
    guard code == .away || code == .refused, let lastSeen else { return false }
    return now.timeIntervalSince(lastSeen) < MeshLimits.recently
  }
}

extension HTTPXRequest {
  /// Whether sending it twice is as good as once (RFC 9110 §9.2.2), and possible.
  var isRepeatable: Bool {
    guard case .bytes = body.content else { return false }
    return head.method.isIdempotent
  }
}
