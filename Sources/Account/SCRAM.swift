import Codecs
package import TLS

/// The client's side of SCRAM (RFC 5802, RFC 7677): proves that it knows the password without telling it, and has the server
/// prove the same. A value; the hashing that takes long is done by whoever asks (`KeyDerivation`).
package struct SCRAM: Sendable {
  /// RFC 5802 §7, `gs2-cbind-flag`.
  package enum Binding: Hashable, Sendable {
    /// This connection has nothing to bind to.
    case unsupported
    /// We could, and the server does not offer it: had it, somebody in between would have taken that away (`y`).
    case notOffered
    case bound(ChannelBinding, [UInt8])
  }

  package enum Failure: Error, Hashable, Sendable {
    /// It cannot be read, or breaks the rules.
    case malformed(String)
    /// The server refuses (RFC 5802 §7, `e=`).
    case refused(String)
    /// The server does not know the password.
    case wrongSignature
  }

  /// What makes a password the key for one server; the same as long as the account has this password there.
  package struct KeyDerivation: Hashable, Sendable {
    package let hash: HashFunction
    package let salt: [UInt8]
    package let iterations: Int

    /// Slow, by intention.
    package func key(of password: String) -> [UInt8] {
      hash.derivedKey(Array(password.utf8), salt: salt, iterations: iterations)
    }
  }

  private let hash: HashFunction
  private let nonce: String
  /// `gs2-header`.
  private let header: String
  private let bindingData: [UInt8]
  /// `client-first-message-bare`.
  private let first: String
  /// Since the server's first message.
  private var serverFirst = ""
  private var serverNonce = ""
  /// Since our last one.
  private var expectedSignature: [UInt8]?

  /// - Parameter nonce: printable ASCII without a comma; nobody can guess it.
  package init(_ hash: HashFunction, user: String, nonce: String, binding: Binding) {
    self.hash = hash
    self.nonce = nonce
    switch binding {
    case .unsupported: (header, bindingData) = ("n,,", [])
    case .notOffered: (header, bindingData) = ("y,,", [])
    case .bound(let type, let data): (header, bindingData) = ("p=\(type.rawValue),,", data)
    }
    first = "n=\(Self.escaped(user)),r=\(nonce)"
  }

  private static func escaped(_ user: String) -> String {
    user.reduce(into: "") { text, character in
      switch character {
      case "=": text += "=3D"
      case ",": text += "=2C"
      default: text.append(character)
      }
    }
  }

  package var clientFirst: String { header + first }

  /// What the server's first message asks for. Throws `Failure`.
  package mutating func received(first message: [UInt8]) throws(Failure) -> KeyDerivation {
    let text = try Self.text(message)
    let attributes = try Self.attributes(text)
    // An extension that has to be understood (RFC 5802 §5.1, `m`); what follows the third may be ignored.
    guard attributes.count >= 3, attributes[0].name == "r", attributes[1].name == "s", attributes[2].name == "i" else {
      throw .malformed("its first message is not r, s, i")
    }
    guard attributes[0].value.hasPrefix(nonce), attributes[0].value.utf8.count > nonce.utf8.count else {
      throw .malformed("its nonce does not extend ours")
    }
    guard let salt = Base64.decodeCanonical(attributes[1].value), !salt.isEmpty else { throw .malformed("no salt") }
    guard let iterations = Int(attributes[2].value), AccountLimits.iterations.contains(iterations) else {
      throw .malformed(
        "\(attributes[2].value.prefix(20)) rounds of hashing are not within \(AccountLimits.iterations.lowerBound) to "
          + "\(AccountLimits.iterations.upperBound)")
    }
    serverFirst = text
    serverNonce = attributes[0].value
    return KeyDerivation(hash: hash, salt: salt, iterations: iterations)
  }

  /// Our last message, once the key has been derived as `received(first:)` asked.
  package mutating func clientFinal(_ saltedPassword: [UInt8]) -> String {
    let channel = Base64.encode(Array(header.utf8) + bindingData)
    let withoutProof = "c=\(channel),r=\(serverNonce)"
    let message = Array("\(first),\(serverFirst),\(withoutProof)".utf8)
    let clientKey = hash.hmac(key: saltedPassword, Array("Client Key".utf8))
    let signature = hash.hmac(key: hash.digest(clientKey), message)
    let proof = zip(clientKey, signature).map { $0 ^ $1 }
    expectedSignature = hash.hmac(key: hash.hmac(key: saltedPassword, Array("Server Key".utf8)), message)
    return "\(withoutProof),p=\(Base64.encode(proof))"
  }

  /// Whether the server knows the password as well. Throws `Failure` where it has not shown that.
  package func received(final message: [UInt8]) throws(Failure) {
    let attributes = try Self.attributes(try Self.text(message))
    guard let expectedSignature, let attribute = attributes.first else { throw .malformed("it ends before it began") }
    if attribute.name == "e" { throw .refused(String(attribute.value.prefix(100))) }
    guard attribute.name == "v", let signature = Base64.decodeCanonical(attribute.value) else {
      throw .malformed("no signature")
    }
    guard signature == expectedSignature else { throw .wrongSignature }
  }

  private static func text(_ message: [UInt8]) throws(Failure) -> String {
    guard message.count <= AccountLimits.challengeBytes else { throw .malformed("a message of \(message.count) bytes") }
    guard let text = String(validating: message, as: UTF8.self) else { throw .malformed("a message that is no UTF-8") }
    return text
  }

  private static func attributes(_ text: String) throws(Failure) -> [(name: Substring, value: String)] {
    var attributes: [(Substring, String)] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard pair.count == 2, pair[0].utf8.count == 1 else { throw .malformed("what is not name=value") }
      attributes.append((pair[0], String(pair[1])))
    }
    return attributes
  }
}
