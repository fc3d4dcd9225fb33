import Synchronization
import XMPP

/// Of which devices that are reached over servers people were told that these read along: each once while the node runs.
final class ServerNotices: Sendable {
  private let told = Mutex<Set<JID>>([])

  func isTold(_ device: JID) -> Bool { told.withLock { $0.contains(device) } }

  func note(_ device: JID) {
    told.withLock { told in
      if told.count >= FrontLimits.noticed { told = [] }
      told.insert(device)
    }
  }
}
