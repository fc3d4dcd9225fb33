package import FoundationEssentials
import HTTPX

/// Whether what answers for a service does, as far as is known.
package enum Health: Sendable, Hashable {
  /// Nobody has asked it, and nothing has looked.
  case unknown
  case ok
  /// With the reason, in the system's words.
  case down(String)
}

/// The health of one service, and since when it is so.
package struct HealthReport: Sendable, Hashable {
  package let health: Health
  package let since: Date

  package var isDown: Bool { if case .down = health { true } else { false } }

  package init(_ health: Health, since: Date) {
    self.health = health
    self.since = since
  }
}

/// Puts together what requests and looks find out; its states are those of `Health`.
///
/// What is down because it was asked and did not answer stays so until it answers: that it can be connected to proves less.
struct HealthMachine: Sendable {
  private(set) var report: HealthReport
  private var isSilent = false

  init(now: Date) {
    report = HealthReport(.unknown, since: now)
  }

  /// A response came.
  mutating func answered(now: Date) {
    isSilent = false
    become(.ok, now)
  }

  /// It could be connected to, or read.
  mutating func reached(now: Date) {
    if !isSilent { become(.ok, now) }
  }

  mutating func failed(_ failure: OriginFailure, now: Date) {
    switch failure.kind {
    case .unreachable: isSilent = false
    case .silent: isSilent = true
    case .request: return
    }
    become(.down(failure.reason), now)
  }

  private mutating func become(_ health: Health, _ now: Date) {
    if report.health != health { report = HealthReport(health, since: now) }
  }
}
