/// What the other side showed, with proof that it has the key.
package struct PeerCertificate: Hashable, Sendable {
  /// DER of the SubjectPublicKeyInfo: what a node id is made of.
  package let spki: [UInt8]
  /// DER of the whole certificate.
  package let certificate: [UInt8]

  /// SHA-256 of the certificate, as browsers show it.
  package var fingerprint: [UInt8] { Digest.sha256(certificate) }

  package init(spki: [UInt8], certificate: [UInt8]) {
    self.spki = spki
    self.certificate = certificate
  }
}
