import FoundationEssentials
import LinkLocal
import XMPP

/// Devices by their addresses: no other file here turns one into an instance name. An address that could be none is no
/// device's.
extension DiscoveredDevices {
  mutating func dialFailed(_ jid: JID, now: Date) -> [DiscoveredDevice] {
    InstanceName(jid).map { dialFailed($0, now: now) } ?? []
  }

  mutating func answered(_ jid: JID, now: Date) -> [DiscoveredDevice] {
    InstanceName(jid).map { answered($0, now: now) } ?? []
  }
}

extension DiscoveredDevice {
  var jid: JID { name.jid }
}
