import Foundation
import TestKit
import Testing

@testable import TLS

@Suite struct IdentityTests {
  @Test func everyKeyIsAnother() throws {
    let (one, other) = (try Identity.generate(name: "kitchen"), try Identity.generate(name: "kitchen"))
    #expect(one.spki != other.spki)
    #expect(one.spki.count == 91)
  }

  @Test func aFileGivesTheSameKeyAndCertificate() throws {
    let identity = try Identity.generate(name: "kitchen")
    let read = try Identity(pem: identity.pem)
    #expect(read.spki == identity.spki)
    #expect(read.pem == identity.pem)
    #expect(read.certificate.der == identity.certificate.der)
  }

  @Test func orderInTheFileDoesNotMatter() throws {
    let pem = String(decoding: try Identity.generate(name: "kitchen").pem, as: UTF8.self)
    let border = try #require(pem.range(of: "-----BEGIN CERTIFICATE"))
    let turned = pem[border.lowerBound...] + pem[..<border.lowerBound]
    #expect(try Identity(pem: Array(turned.utf8)).pem == Array(pem.utf8))
  }

  @Test func whatIsNoIdentityIsRefused() throws {
    let pem = String(decoding: try Identity.generate(name: "kitchen").pem, as: UTF8.self)
    let other = String(decoding: try Identity.generate(name: "kitchen").pem, as: UTF8.self)
    let border = try #require(pem.range(of: "-----BEGIN CERTIFICATE"))
    let otherBorder = try #require(other.range(of: "-----BEGIN CERTIFICATE"))
    let bad: [String] = [
      "", "rubbish", String(pem[..<border.lowerBound]), String(pem[border.lowerBound...]),
      pem.replacingOccurrences(of: "BEGIN PRIVATE", with: "BEGIN PUBLIC"),
      // Another's key, and a damaged one.
      String(pem[..<border.lowerBound] + other[otherBorder.lowerBound...]),
      String(pem.prefix(100)) + "AAAA" + pem.dropFirst(104),
    ]
    for pem in bad {
      #expect(code { _ = try Identity(pem: Array(pem.utf8)) } == .unusableIdentity, "\(pem)")
    }
  }

  @Test func aPrivatePartOfAnotherKeyIsRefused() throws {
    let forged = try Forged.identity(certificateOf: Known.alice.get(), keyOf: Known.bob.get())
    #expect(code { _ = try Identity(pem: forged.pem) } == .unusableIdentity)
  }

  @Test(arguments: ["-aes256 -pass pass:secret", ""])
  func otherKeysAreRefused(_ cipher: String) async throws {
    let folder = try Folder()
    let curve = cipher.isEmpty ? "P-384" : "P-256"
    try await folder.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:\(curve) \(cipher) -out key.pem")
    try await folder.openssl("req -x509 -key key.pem -passin pass:secret -subj /CN=x -out certificate.pem")
    let pem = try folder.read("key.pem") + folder.read("certificate.pem")
    #expect(code { _ = try Identity(pem: pem) } == .unusableIdentity)
  }

  @Test func theCertificateIsWhatOthersExpect() async throws {
    let folder = try Folder()
    let name = "küche@" + String(repeating: "x", count: 70)
    try folder.write("pem", Identity.generate(name: name).pem)
    let text = try await folder.openssl("x509 -in pem -noout -text -nameopt utf8,sep_comma_plus -certopt no_sigdump")
    #expect(text.contains("Version: 3 (0x2)"))
    #expect(text.contains("Subject: CN=küche@" + String(repeating: "x", count: 58) + "\n"))
    #expect(text.contains("Not Before: Jan  1 00:00:00 1970 GMT"))
    #expect(text.contains("Not After : Dec 31 23:59:59 9999 GMT"))
    #expect(text.contains("CA:FALSE"))
    #expect(text.contains("Digital Signature"))
    #expect(try await folder.openssl("verify -CAfile pem pem") == "pem: OK\n")
    #expect(code { _ = try Identity.generate(name: "") } == .unusableIdentity)
  }

  @Test func anotherNameKeepsTheKey() throws {
    let identity = try Identity.generate(name: "kitchen")
    let renamed = try identity.renamed("hall")
    #expect(renamed.spki == identity.spki)
    #expect(renamed.certificate.der != identity.certificate.der)
    #expect(try Identity(pem: renamed.pem).spki == identity.spki)
  }

  @Test func aStatementIsOfTheKeyThatSignedIt() throws {
    let (alice, bob) = (try Known.alice.get(), try Known.bob.get())
    let statement = Array("my new key is …".utf8)
    let signature = try alice.sign(statement)
    #expect(Identity.verify(signature, of: statement, spki: alice.spki))
    #expect(!Identity.verify(signature, of: statement, spki: bob.spki))
    #expect(!Identity.verify(signature, of: statement + [0], spki: alice.spki))
    #expect(!Identity.verify(Array(signature.dropLast()), of: statement, spki: alice.spki))
    #expect(!Identity.verify([], of: statement, spki: alice.spki))
    #expect(!Identity.verify(signature, of: statement, spki: []))
    #expect(!Identity.verify(signature, of: statement, spki: alice.spki + [0]))
    #expect(!Identity.verify(signature, of: statement, spki: Array("rubbish".utf8)))
  }

  @Test(arguments: [
    ("ED25519", "", true), ("RSA", "-pkeyopt rsa_keygen_bits:2048", true),
    ("RSA", "-pkeyopt rsa_keygen_bits:1024", false), ("EC", "-pkeyopt ec_paramgen_curve:P-384", false),
    ("EC", "-pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit", false),
  ])
  func kindsOfKeys(_ algorithm: String, _ options: String, _ isAccepted: Bool) async throws {
    let folder = try Folder()
    try await folder.openssl("genpkey -algorithm \(algorithm) \(options) -out key.pem")
    try await folder.openssl("pkey -in key.pem -pubout -outform DER -out spki")
    try folder.write("statement", Array("statement".utf8))
    let digest = algorithm == "ED25519" ? "-rawin" : "-rawin -digest sha256"
    try await folder.openssl("pkeyutl -sign -inkey key.pem \(digest) -in statement -out signature")
    let (signature, spki) = (try folder.read("signature"), try folder.read("spki"))
    #expect(Identity.verify(signature, of: Array("statement".utf8), spki: spki) == isAccepted)
  }

  @Test func oneKeyHasOneForm() async throws {
    let folder = try Folder()
    let (alice, statement) = (try Known.alice.get(), Array("statement".utf8))
    try folder.write("key.pem", alice.pem)
    try await folder.openssl("pkey -in key.pem -pubout -outform DER -ec_conv_form compressed -out spki")
    #expect(try folder.read("spki").count == 59)
    #expect(!Identity.verify(try alice.sign(statement), of: statement, spki: try folder.read("spki")))
  }

  @Test func digestsAndRandomness() {
    let digest = Digest.sha256(Array("abc".utf8)).map { String(format: "%02x", $0) }.joined()
    #expect(digest == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(Digest.sha256([]).prefix(4) == [0xe3, 0xb0, 0xc4, 0x42])
    #expect(SecureRandom.bytes(16).count == 16)
    #expect(SecureRandom.bytes(0).isEmpty)
    #expect(SecureRandom.bytes(16) != SecureRandom.bytes(16))
  }
}
