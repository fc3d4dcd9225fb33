import Synchronization
import XMPP

/// Of which devices that are reached over servers people were told that these read along: each once while the node runs.
final class ServerNotices: Sendable {
  private let told = Mutex<Set<JID>>([])

  /// Whether it is to be told now.
  func isNew(_ device: JID) -> Bool {
    told.withLock { told in
      if told.count >= FrontLimits.noticed { told = [] }
      return told.insert(device).inserted
    }
  }
}
