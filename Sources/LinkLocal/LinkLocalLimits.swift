package import FoundationEssentials

/// Limits of this module.
package enum LinkLocalLimits {
  /// Bytes of one TXT string, `key=value`: its length is one byte (RFC 6763 §6.1).
  package static let stringBytes = 255
  /// Bytes of a whole TXT record with its length bytes: fits one Ethernet frame (RFC 6763 §6.2).
  package static let recordBytes = 1300
  /// Bytes read of a received record: one as large as may be published, and a little for those who go beyond. Every
  /// device on the link costs so much memory, and more than once.
  package static let receivedBytes = 2048
  /// Bytes of a name, a status or an id that is announced: those of a DNS label, and of a node id with its hyphens.
  package static let nameBytes = 63
  /// Strings read of a received record; the registry of XEP-0174 knows about twenty keys.
  package static let strings = 64
  /// Names tried after the wanted one was found taken; somebody who contests every name must not keep us busy.
  package static let renames = 100
  /// How often a name is asked for again that was refused and that nobody is seen to have: each time takes a second.
  package static let nameRequests = 8
  /// Before a device asks again for its own name, which somebody else has: where it had that name before, and where it had
  /// not. Who has it in the second case may be restarting, and not to come back to a name that is gone.
  package static let ownName = Duration.seconds(20)
  package static let foreignName = Duration.seconds(120)
  /// The longest of these times: each attempt takes the device off the link for a second.
  package static let longestNameWait = Duration.seconds(900)
  /// Devices on the link that are known at once. avahi-daemon remembers 4,096 records of an interface (`cache-entries-max`), and a
  /// device has three: of names alone, which anybody can forge, it lists more than that.
  package static let devices = 2048
  /// Devices remembered that are gone.
  package static let gone = 512
  /// Interfaces × address families remembered for a device.
  package static let sightings = 64
  /// Seconds in which a device has to turn up again after discovery was restarted. A cold browse takes 1 s, on a link
  /// that loses a third of its packets up to 3 s.
  package static let grace: TimeInterval = 10
}
