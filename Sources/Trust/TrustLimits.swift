package import FoundationEssentials

/// Every bound of this module, with its unit and its reason.
package enum TrustLimits {
  /// Friends of a node: a large household several times over; `requests = "accept"` must not grow without end.
  package static let friends = 1024

  /// Blocked nodes: the owner's own deeds, bounded because the file is.
  package static let blocked = 1024

  /// Devices pinned to one friend: what one node may plausibly announce.
  package static let devices = 64

  /// Requests that wait for the owner: more than anyone reads in one go.
  package static let requests = 64

  /// Requests that wait and came from one network address, so that one hacked gadget cannot fill the queue.
  package static let requestsPerAddress = 4

  /// Requests of our own that wait for an answer.
  package static let asked = 64

  /// New requests taken in without delay; each costs a write to disk.
  package static let requestBurst = 32

  /// Seconds in which one more may come once the burst is used up.
  package static let requestInterval: TimeInterval = 10

  /// Seconds in which a rejected node need not ask again.
  package static let rejectionPause: TimeInterval = 3600

  /// Rejected nodes that are remembered for that.
  package static let rejections = 256

  /// Bytes of the line that comes with a request.
  package static let greetingBytes = 200

  /// Bytes of the address of a friend's account.
  package static let accountBytes = 512

  /// Bytes of an invite's token: 128 bits cannot be guessed.
  package static let tokenBytes = 16

  /// Seconds that an invite is good for: long enough to walk to the other machine.
  package static let inviteLife: TimeInterval = 600

  /// Invites that are open at a time.
  package static let openInvites = 16

  /// Invites that are remembered, used and expired ones included, to name them in the log.
  package static let invites = 64

  /// Seconds that the owner may leave the door open; a window that is forgotten must close.
  package static let permit: ClosedRange<TimeInterval> = 1...900

  /// Bytes of a nonce in pairing.
  package static let nonceBytes = 16

  /// Bytes of a SHA-256.
  package static let digestBytes = 32

  /// Digits that people compare: a man in the middle has one chance in a million.
  package static let digits = 6

  /// Seconds from the first message of a pairing to the second confirmation.
  package static let pairing: TimeInterval = 60

  /// Seconds after a failed pairing in which peers cannot begin another.
  package static let pairingPause: TimeInterval = 30

  /// Key changes that a friend may have missed.
  package static let rotations = 16

  /// Bytes of a public key or signature: RSA with 4096 bits needs 550.
  package static let keyBytes = 1024

  /// Bytes of a petname: it must fit a DNS label.
  package static let petnameBytes = 63

  /// Bytes of an invite line, all of it: an address, every byte of it encoded, takes 189.
  package static let lineBytes = 512
  /// Bytes of an account's address in one: a longer one is left out, and the line leads to the link alone.
  package static let lineAccountBytes = 100

  /// Lines of the log about refused strangers without delay, and the seconds in which one more may follow.
  package static let refusalBurst = 32
  package static let refusalInterval: TimeInterval = 10
}
