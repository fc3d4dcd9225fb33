import FoundationEssentials
import TestKit
import Trust
import XMPP

/// SHA-256 (FIPS 180-4), so that these tests need no library; checked against its examples in `NodeIDTests`.
enum SHA256 {
  private static let constants: [UInt32] = primes(64).map { fraction(of: cubeRoot(Double($0))) }
  private static let initial: [UInt32] = primes(8).map { fraction(of: Double($0).squareRoot()) }

  static func digest(_ bytes: [UInt8]) -> [UInt8] {
    let zeros = (119 - bytes.count % 64) % 64
    let message = bytes + [0x80] + Array(repeating: 0, count: zeros) + bigEndian(UInt64(bytes.count) * 8)
    var state = initial
    for start in stride(from: 0, to: message.count, by: 64) { mix(message[start..<start + 64], into: &state) }
    return state.flatMap(bigEndian)
  }

  private static func mix(_ block: ArraySlice<UInt8>, into state: inout [UInt32]) {
    var w = [UInt32](repeating: 0, count: 64)
    for t in 0..<16 {
      let i = block.startIndex + 4 * t
      w[t] = UInt32(block[i]) << 24 | UInt32(block[i + 1]) << 16 | UInt32(block[i + 2]) << 8 | UInt32(block[i + 3])
    }
    for t in 16..<64 {
      let s0 = turn(w[t - 15], 7) ^ turn(w[t - 15], 18) ^ w[t - 15] >> 3
      let s1 = turn(w[t - 2], 17) ^ turn(w[t - 2], 19) ^ w[t - 2] >> 10
      w[t] = w[t - 16] &+ s0 &+ w[t - 7] &+ s1
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for t in 0..<64 {
      let s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)
      let t1 = h &+ s1 &+ (e & f ^ ~e & g) &+ constants[t] &+ w[t]
      let s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)
      let t2 = s0 &+ (a & b ^ a & c ^ b & c)
      (h, g, f, e, d, c, b, a) = (g, f, e, d &+ t1, c, b, a, t1 &+ t2)
    }
    for (index, value) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= value }
  }

  private static func turn(_ word: UInt32, _ bits: UInt32) -> UInt32 { word >> bits | word << (32 - bits) }

  private static func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian, Array.init)
  }

  private static func primes(_ count: Int) -> [Int] {
    var found: [Int] = []
    var candidate = 2
    while found.count < count {
      if !found.contains(where: { candidate % $0 == 0 }) { found.append(candidate) }
      candidate += 1
    }
    return found
  }

  private static func fraction(of root: Double) -> UInt32 {
    UInt32((root - root.rounded(.down)) * 4_294_967_296)
  }

  /// By Newton; the roots of small primes are exact enough in 53 bits.
  private static func cubeRoot(_ value: Double) -> Double {
    var root = value
    for _ in 0..<64 { root -= (root * root * root - value) / (3 * root * root) }
    return root
  }
}

/// Keys whose "signature" is a hash that anybody could make: enough to test what is signed and by whom.
enum FakeKey {
  static func spki(_ name: String) -> [UInt8] { Array("spki of \(name)".utf8) }

  static func sign(_ message: [UInt8], with spki: [UInt8]) -> [UInt8] {
    SHA256.digest(Array("secret".utf8) + spki + message)
  }

  static func id(_ name: String) -> NodeID { NodeID(digest: SHA256.digest(spki(name)))! }
}

let testCryptography = Cryptography(
  sha256: { SHA256.digest($0) }, verify: { signature, message, spki in signature == FakeKey.sign(message, with: spki) })

let start = Date(timeIntervalSince1970: 1_700_000_000)
let me = FakeKey.id("me")
let anna = FakeKey.id("anna")
let bob = FakeKey.id("bob")
let annasLaptop = JID("anna@laptop")!
let thermostat = JID("thermostat@pi")!

func peer(_ id: NodeID, _ jid: JID? = nil, address: String? = nil) -> KeyedPeer {
  .of(id, jid, from: address)
}

func name(_ text: String) -> Petname {
  do { return try Petname(text) } catch { preconditionFailure(error.message) }
}

func newBook(mode: RequestMode = .ask, own: NodeID = me) -> FriendBook {
  FriendBook(own: own, ownKey: [], mode: mode, cryptography: testCryptography)
}

/// With a friend who was let in by request.
func book(with friend: NodeID, named text: String, at jid: JID? = nil) throws -> FriendBook {
  var book = newBook()
  _ = book.received(.subscribe(FriendRequest()), from: peer(friend, jid), now: start)
  _ = try book.accept(friend, petname: name(text), now: start)
  return book
}

func reload(_ book: FriendBook) throws -> FriendBook {
  try FriendBook(decoding: book.encoded(), own: book.own, ownKey: [], mode: book.mode, cryptography: testCryptography)
}

/// A generator with a seed, so that a failure can be repeated (splitmix64).
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) } }
}

extension [TrustAction] {
  /// What the peer gets.
  var sent: [Friendship] { compactMap { if case .send(let friendship, _) = $0 { friendship } else { nil } } }
  var events: [TrustEvent] { compactMap { if case .tell(let event) = $0 { event } else { nil } } }
}
