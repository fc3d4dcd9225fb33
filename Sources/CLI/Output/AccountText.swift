import Control
import FoundationEssentials

/// The account as people read it.
enum AccountText {
  /// In `hearth status`.
  static func line(_ account: AccountResource) -> String {
    let jid = Printable.clean(account.jid ?? "none")
    switch account.state {
    case .off: return "none"
    case .online: return "\(jid), online"
    case .connecting: return "\(jid), connecting"
    case .waiting: return "\(jid), offline: \(reason(account)); it is tried again"
    case .stopped: return "\(jid), offline: \(reason(account))"
    }
  }

  private static func reason(_ account: AccountResource) -> String {
    Printable.clean(account.problem?.message ?? "see `hearth account status`")
  }

  static func lines(_ account: AccountResource, now: Date) -> [String] {
    guard let jid = account.jid, account.state != .off else {
      return ["There is no account: see `hearth account --help`"]
    }
    let since = account.since.map { " for \(DeviceTable.span(now.timeIntervalSince($0)))" } ?? ""
    var lines = [
      "Account    \(Printable.clean(jid))\(account.configured ? ", by hearth.toml" : "")",
      "State      \(account.state.rawValue)\(since)",
    ]
    if let server = account.server {
      lines.append("Server     \(Printable.clean(server))\(account.tls.map { ", \($0)" } ?? "")")
    }
    if let mechanism = account.mechanism {
      lines.append("Login      \(mechanism)\(account.binding.map { ", bound by \($0)" } ?? "")")
    }
    if let bound = account.bound {
      let kept = account.resumable ? "resumed \(account.resumptions) times so far" : "not resumable"
      lines.append("Session    \(Printable.clean(bound)), \(kept)")
    }
    lines.append("Relay      \(account.relay ? "for friends' nodes" : "off")")
    if account.state == .online, account.relay { lines.append("Proxy      \(account.proxy ?? "none: in-band")") }
    if let serve = account.serve { lines.append(Printable.clean("Serves     \(serve), to the accounts in its access")) }
    for friend in account.friends {
      let words =
        switch friend.state {
        case .offline: "offline"
        case .online: "online, and not reached\(friend.problem.map { ": \($0)" } ?? " yet")"
        case .reached: "reached"
        }
      lines.append(Printable.clean("Friend     \(friend.petname), \(friend.account): \(words)"))
    }
    if let problem = account.problem {
      lines.append(
        "Problem    \(DeviceTable.age(now.timeIntervalSince(problem.at))): \(Printable.clean(problem.message))")
    }
    return lines
  }
}
