import Foundation
import NIOCore
import TestKit
import Testing

@testable import TLS

/// Servers at `https://…`, which ask for no certificate.
@Suite struct UpstreamTests {
  private func server(_ identity: Identity) throws -> TLSConfiguration {
    let context = try TLSContext(rule: .any)
    try context.use(identity)
    return TLSConfiguration(context: context, role: .server, serverName: nil)
  }

  /// What a client makes of a server whose certificate is its own authority.
  private func meet(_ identity: Identity, at host: String, trust: TLSConfiguration.UpstreamTrust) throws -> Pair {
    let folder = try Folder()
    try folder.write("authorities.pem", identity.pem)
    let client = try TLSConfiguration.upstream(host: host, trust: trust, authorities: folder.path("authorities.pem"))
    let pair = try Pair(client, server(identity))
    try pair.shakeHands()
    return pair
  }

  @Test(arguments: ["nas.local", "NAS.local", "nas.local."])
  func aTrustedServerIsAccepted(_ host: String) throws {
    let identity = try Identity.generate(name: "nas.local")
    let pair = try meet(identity, at: host, trust: .systemCAs)
    #expect(pair.alice.peer?.spki == identity.spki)
    #expect(pair.bob.peer == nil)
  }

  @Test(arguments: ["other.local", "nas.local.evil.example", "local", "127.0.0.1"])
  func anotherHostIsRefused(_ host: String) throws {
    let identity = try Identity.generate(name: "nas.local")
    #expect(code { _ = try meet(identity, at: host, trust: .systemCAs) } == .certificateRefused)
  }

  @Test(arguments: [Validity(from: "19700101000000Z", until: "20200101000000Z"), .tomorrowForever])
  func datesCountForAuthoritiesOnly(_ validity: Validity) throws {
    let identity = try Identity.generate(name: "nas.local", validity: validity)
    #expect(code { _ = try meet(identity, at: "nas.local", trust: .systemCAs) } == .certificateRefused)
    let fingerprint = Digest.sha256(identity.certificate.der)
    #expect(code { _ = try meet(identity, at: "nas.local", trust: .fingerprint(fingerprint)) } == nil)
  }

  @Test func theSystemKnowsNoSelfSignedServer() throws {
    let server = try server(.generate(name: "nas.local"))
    let pair = try Pair(.upstream(host: "nas.local", trust: .systemCAs), server)
    do {
      try pair.shakeHands()
      Issue.record("accepted")
    } catch let error as TLSError {
      #expect(error.code == .certificateRefused)
      #expect(error.message.contains("self-signed"))
    }
  }

  @Test func anAuthoritySignsForNamesAndAddresses() async throws {
    let folder = try Folder()
    try await folder.openssl(
      "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=Home -addext keyUsage=critical,keyCertSign"
    )
    let identity = try Identity.generate(name: "nas")
    try folder.write("nas.pem", identity.pem)
    try folder.write("names", Array("subjectAltName=DNS:nas.lan,IP:192.0.2.7,IP:2001:db8::7".utf8))
    try await folder.openssl("req -new -key nas.pem -subj /CN=nas -out nas.csr")
    try await folder.openssl(
      "x509 -req -in nas.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -extfile names -out signed.pem")
    let key = String(decoding: identity.pem, as: UTF8.self).components(before: "-----BEGIN CERTIFICATE")
    let signed = try Identity(pem: Array(key.utf8) + folder.read("signed.pem"))
    let server = try server(signed)
    for (host, isAccepted) in [
      ("nas.lan", true), ("192.0.2.7", true), ("2001:db8::7", true), ("nas", false), ("192.0.2.8", false),
    ] {
      let client = try TLSConfiguration.upstream(host: host, trust: .systemCAs, authorities: folder.path("ca.pem"))
      let result = code { try Pair(client, server).shakeHands() }
      #expect(result == (isAccepted ? nil : .certificateRefused), "\(host)")
    }
  }

  @Test func aFingerprintIsOfOneCertificate() throws {
    let (one, other) = (try Identity.generate(name: "nas"), try Identity.generate(name: "nas"))
    let trust = TLSConfiguration.UpstreamTrust.fingerprint(Digest.sha256(one.certificate.der))
    #expect(code { _ = try meet(one, at: "any.host", trust: trust) } == nil)
    #expect(code { _ = try meet(other, at: "any.host", trust: trust) } == .certificateRefused)
    let thief = try Forged.identity(certificateOf: one, keyOf: other)
    #expect(code { try Pair(.upstream(host: "x", trust: trust), server(thief)).shakeHands() } == .wrongKey)
  }

  @Test func insecureAcceptsAnyone() throws {
    let expired = try Identity.generate(
      name: "x", validity: Validity(from: "19700101000000Z", until: "19800101000000Z"))
    #expect(code { _ = try meet(expired, at: "y", trust: .insecure) } == nil)
  }

  @Test func whatCannotWorkIsSaidAtOnce() {
    #expect(code { _ = try TLSConfiguration.upstream(host: "x", trust: .fingerprint([1])) } == .unusableConfiguration)
    #expect(code { _ = try TLSConfiguration.upstream(host: "", trust: .systemCAs) } == .unusableConfiguration)
    #expect(
      code { _ = try TLSConfiguration.upstream(host: "x", trust: .systemCAs, authorities: "/nonexistent") }
        == .unusableConfiguration)
  }
}

extension String {
  fileprivate func components(before mark: String) -> String {
    range(of: mark).map { String(self[..<$0.lowerBound]) } ?? self
  }
}
