import NIOCore
import XML

/// What a server may cost, which is not of this house and may be hostile. Numbers, units, reasons; nothing else decides them.
package enum AccountLimits {
  // MARK: What comes

  /// Until the stream is open: the features of large servers have some hundred elements, and 10,000 bytes must be taken in any
  /// case (RFC 6120 §13.12).
  static let negotiating = XMLLimits(stanzaBytes: 32 << 10, elements: 512, depth: 8, attributes: 32)
  /// Then: the largest is the roster, of 5,000 contacts at the most. More ends the stream.
  static let established = XMLLimits(stanzaBytes: 1 << 20, elements: 16_384, depth: 32, attributes: 64)
  /// What happened and was not taken by whoever follows it. Beyond, the stream ends.
  static let events = 1024
  /// Friends' accounts that are followed: as many as a node has friends.
  static let contacts = 1024

  // MARK: What goes

  /// Bytes of one stanza, where the server does not say more (XEP-0478): what every server takes (RFC 6120 §13.12).
  package static let stanzaBytes = 10_000
  /// The most that is believed of a server that says more.
  static let largestStanzaBytes = 256 << 10
  /// Bytes that the server has not acknowledged (XEP-0198), and that are kept to be sent again. Who sends more waits.
  static let unacknowledgedBytes = 1 << 20
  /// Bytes at which the stream ends, where they are answers of this node, which nobody holds back: the server asks, and does
  /// not acknowledge.
  static let mostUnacknowledgedBytes = 2 << 20
  /// IQs that wait for their answers.
  static let pendingRequests = 1024

  // MARK: Logging in

  /// Rounds of PBKDF2: fewer are broken by trying (RFC 7677 §4), more are a server that keeps processors busy.
  static let iterations = 4096...1_000_000
  /// Bytes of a message of SCRAM: nonce, salt and number fit many times.
  static let challengeBytes = 4096
  /// Hosts of the DNS that are tried in one go.
  static let targets = 8
  /// Records of one answer of the DNS that are looked at.
  static let serviceRecords = 32
  /// Bytes of a password, and of a file that holds one.
  package static let passwordBytes = 1023
}

/// How long things may take.
enum AccountTimes {
  /// A question to the DNS, whose own patience is 5 s for each of its servers, twice.
  static let resolution = TimeAmount.seconds(20)
  /// TCP to one host, over all of its addresses.
  static let connect = TimeAmount.seconds(10)
  /// From the connection to the open stream: some ten round trips, TLS and the hashing of the password included.
  static let negotiation = TimeAmount.seconds(30)
  /// From our end tag to the server's.
  static let close = TimeAmount.seconds(2)
  /// Silence after which the server is asked whether it is there (XEP-0199): below what NATs forget connections after.
  static let idle = TimeAmount.seconds(60)
  /// From that question, or any other, to the first byte of whatever comes; after that the connection is dead.
  static let patience = TimeAmount.seconds(20)
  /// How often that is looked at, and whether this machine's addresses have changed.
  static let look = TimeAmount.seconds(2)
  /// How long a stream that broke is hoped to be resumed (XEP-0198), and what waits for an answer waits on.
  static let resumption = TimeAmount.seconds(120)
  /// Between two attempts to connect: at first, and at the most.
  static let firstPause = Duration.seconds(1)
  static let longestPause = Duration.seconds(300)
  /// A stream that was open for so long was a success, after which pauses begin anew.
  static let success = TimeAmount.seconds(60)
  /// For an IQ of the account's own, such as the question for the roster.
  static let request = Duration.seconds(30)
}
