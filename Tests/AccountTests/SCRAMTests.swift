import Codecs
import NIOCore
import Testing

@testable import Account
@testable import TLS

@Suite struct SCRAMTests {
  private typealias Vector = (
    hash: HashFunction, nonce: String, first: String, serverFirst: String, final: String, serverFinal: String
  )

  /// RFC 5802 §5.
  private static let sha1: Vector = (
    .sha1, "fyko+d2lbbFgONRv9qkxdawL", "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
    "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="
  )
  /// RFC 7677 §3.
  private static let sha256: Vector = (
    .sha256, "rOprNGfwEbeRWgbNEkqO", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
  )

  private func machine(_ vector: Vector) -> SCRAM {
    SCRAM(vector.hash, user: "user", nonce: vector.nonce, binding: .unsupported)
  }

  /// Up to our last message.
  private func finished(_ vector: Vector) throws -> (SCRAM, String) {
    var scram = machine(vector)
    let derivation = try scram.received(first: Array(vector.serverFirst.utf8))
    return (scram, scram.clientFinal(derivation.key(of: "pencil")))
  }

  @Test(arguments: [0, 1])
  func theExamplesOfTheRFCs(_ index: Int) throws {
    let vector = [Self.sha1, Self.sha256][index]
    #expect(machine(vector).clientFirst == vector.first)
    var scram = machine(vector)
    let derivation = try scram.received(first: Array(vector.serverFirst.utf8))
    #expect(derivation.iterations == 4096)
    #expect(scram.clientFinal(derivation.key(of: "pencil")) == vector.final)
    try scram.received(final: Array(vector.serverFinal.utf8))
  }

  @Test(arguments: [
    "v=rmF9pqV8S7suAoZWja4dJRkFsKR=", "v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "v=",
    "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    "", "x", "w=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "e=invalid-proof",
  ])
  func aServerThatDoesNotKnowThePasswordIsFoundOut(_ final: String) throws {
    let (scram, _) = try finished(Self.sha1)
    #expect(throws: SCRAM.Failure.self) { try scram.received(final: Array(final.utf8)) }
  }

  @Test func aSignatureBeforeOurProofIsNone() {
    #expect(throws: SCRAM.Failure.self) { try machine(Self.sha1).received(final: Array(Self.sha1.serverFinal.utf8)) }
  }

  @Test(arguments: [
    // Another's nonce, ours alone, ours in the middle.
    "r=other3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096", "r=fyko+d2lbbFgONRv9qkxdawL,s=QSXCR+Q6sek8bf92,i=4096",
    "r=xfyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=4096",
    // Too few rounds, too many, none, and what is no number.
    "r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=4095", "r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=1000001",
    "r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=99999999999999999999",
    "r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92", "r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=-4096",
    // No salt, and an extension that we would have to understand.
    "r=fyko+d2lbbFgONRv9qkxdawLx,s=,i=4096", "r=fyko+d2lbbFgONRv9qkxdawLx,s=!,i=4096",
    "m=x,r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=4096", "",
  ])
  func aChallengeThatBreaksTheRulesIsRefused(_ challenge: String) {
    var scram = machine(Self.sha1)
    #expect(throws: SCRAM.Failure.self) { try scram.received(first: Array(challenge.utf8)) }
  }

  @Test func aLongChallengeIsRefused() {
    var scram = machine(Self.sha1)
    let challenge = Self.sha1.serverFirst + ",x=" + String(repeating: "y", count: AccountLimits.challengeBytes)
    #expect(throws: SCRAM.Failure.self) { try scram.received(first: Array(challenge.utf8)) }
  }

  @Test func theHeaderSaysWhatTheLoginIsBoundTo() throws {
    func scram(_ binding: SCRAM.Binding) -> SCRAM { SCRAM(.sha256, user: "a=b,c", nonce: "n", binding: binding) }
    #expect(scram(.unsupported).clientFirst == "n,,n=a=3Db=2Cc,r=n")
    #expect(scram(.notOffered).clientFirst == "y,,n=a=3Db=2Cc,r=n")
    #expect(scram(.bound(.serverEndPoint, [1])).clientFirst == "p=tls-server-end-point,,n=a=3Db=2Cc,r=n")
    var bound = scram(.bound(.exporter, [1, 2, 3]))
    #expect(bound.clientFirst == "p=tls-exporter,,n=a=3Db=2Cc,r=n")
    _ = try bound.received(first: Array("r=nm,s=QSXCR+Q6sek8bf92,i=4096".utf8))
    let channel = Base64.encode(Array("p=tls-exporter,,".utf8) + [1, 2, 3])
    #expect(bound.clientFinal([UInt8](repeating: 7, count: 32)).hasPrefix("c=\(channel),r=nm,p="))
    var other = scram(.notOffered)
    _ = try other.received(first: Array("r=nm,s=QSXCR+Q6sek8bf92,i=4096".utf8))
    #expect(other.clientFinal([UInt8](repeating: 7, count: 32)).hasPrefix("c=eSws,r=nm,p="))
  }
}

@Suite struct MechanismTests {
  private static let bindings: [ChannelBinding: [UInt8]] = [.exporter: [1], .serverEndPoint: [2]]

  private func choose(
    _ mechanisms: [String], types: [String]? = nil, before: Bool = false,
    bindings: [ChannelBinding: [UInt8]] = bindings, version: TLSVersion = .v13, plain: Bool = false
  ) -> Result<Mechanism, AccountProblem> {
    let offer = Mechanism.Offer(
      mechanisms: mechanisms, bindingTypes: types, hasOfferedBinding: before, bindings: bindings, version: version)
    return Result { () throws(AccountProblem) in try Mechanism.choose(offer, allowsPlain: plain) }
  }

  private func code(_ result: Result<Mechanism, AccountProblem>) -> AccountProblem.Code? {
    if case .failure(let problem) = result { problem.code } else { nil }
  }

  private let all = ["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"]

  @Test func theBestIsTaken() {
    #expect(choose(all) == .success(.scram(.sha256, .bound(.exporter, [1]))))
    #expect(choose(["SCRAM-SHA-256", "SCRAM-SHA-1-PLUS"]) == .success(.scram(.sha1, .bound(.exporter, [1]))))
    #expect(choose(["SCRAM-SHA-1", "SCRAM-SHA-256"]) == .success(.scram(.sha256, .notOffered)))
    #expect(choose(["SCRAM-SHA-1"]) == .success(.scram(.sha1, .notOffered)))
    #expect(choose(["SCRAM-SHA-1"], bindings: [:]) == .success(.scram(.sha1, .unsupported)))
    #expect(choose(["PLAIN"], plain: true) == .success(.plain))
    #expect(choose(["PLAIN", "SCRAM-SHA-1"], plain: true) == .success(.scram(.sha1, .notOffered)))
  }

  @Test func theServerSaysWhichBindingsItHas() {
    #expect(
      choose(all, types: ["tls-unique", "tls-server-end-point"])
        == .success(.scram(.sha256, .bound(.serverEndPoint, [2]))))
    #expect(
      choose(all, types: ["tls-server-end-point", "tls-exporter"]) == .success(.scram(.sha256, .bound(.exporter, [1]))))
    #expect(
      choose(all, types: ["tls-exporter", "tls-server-end-point"], bindings: [.serverEndPoint: [2]])
        == .success(.scram(.sha256, .bound(.serverEndPoint, [2]))))
    #expect(choose(all, version: .v12) == .success(.scram(.sha256, .bound(.serverEndPoint, [2]))))
  }

  /// Never without PLUS where that was offered: who is in between would leave over what we cannot do.
  @Test func nothingWeakerThanOffered() {
    #expect(code(choose(all, types: ["tls-unique"], plain: true)) == .mechanism)
    #expect(code(choose(all, types: [], plain: true)) == .mechanism)
    #expect(code(choose(all, bindings: [:], plain: true)) == .mechanism)
    #expect(code(choose(["SCRAM-SHA-512-PLUS", "SCRAM-SHA-256"])) == .mechanism)
    #expect(code(choose(["SCRAM-SHA-256"], before: true)) == .forged)
    #expect(code(choose(["PLAIN"], before: true, plain: true)) == .forged)
  }

  @Test func aPasswordIsToldOnlyWhereTheOwnerSaysSo() {
    #expect(code(choose(["PLAIN"])) == .mechanism)
    #expect(code(choose([], plain: true)) == .mechanism)
    #expect(code(choose(["EXTERNAL", "DIGEST-MD5"], plain: true)) == .mechanism)
  }
}

@Suite struct ChannelBindingTests {
  @Test func bothSidesOfAConnectionHaveIt() throws {
    let identity = try Identity.generate(name: "im.example.com")
    let certificate = Digest.sha256(identity.certificate.der)
    var secrets: Set<[UInt8]> = []
    for _ in 0..<2 {
      let client = try TLSSession(.upstream(host: "im.example.com", trust: .fingerprint(certificate)))
      let server = try TLSSession(.node(identity, role: .server))
      #expect(client.channelBindings.isEmpty)
      var isDone = (client: false, server: false)
      for _ in 0..<10 {
        if !isDone.client { isDone.client = try client.handshake() }
        if let bytes = client.takeOutgoing() { server.receive(bytes) }
        if !isDone.server { isDone.server = try server.handshake() }
        if let bytes = server.takeOutgoing() { client.receive(bytes) }
      }
      #expect(isDone.client && isDone.server)
      let secret = try #require(client.channelBindings[.exporter])
      #expect(secret.count == 32 && secret == server.channelBindings[.exporter])
      secrets.insert(secret)
      // Signed with SHA-256.
      #expect(client.channelBindings[.serverEndPoint] == certificate)
    }
    #expect(secrets.count == 2)
  }
}
