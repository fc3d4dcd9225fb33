import NIOCore
import Testing
import XML
import XMPP

/// What an initiator makes of those that it dials: policies × behaviours.
@Suite struct TLSInitiatorTests {
  enum Outcome: Sendable, Equatable {
    /// Open, with or without TLS.
    case open(isSecure: Bool)
    case ended(StreamEnd)
  }

  struct Script: Sendable, CustomTestStringConvertible {
    let name: String
    let preferred: Outcome
    let required: Outcome
    let play: @Sendable (Wire) -> Void
    var testDescription: String { name }
  }

  static func secureThen(_ play: @escaping @Sendable (Wire) -> Void) -> @Sendable (Wire) -> Void {
    { wire in
      wire.feed(Header.salutResponse + Say.offersTLS)
      wire.feed(Say.proceed)
      wire.secure()
      play(wire)
    }
  }

  static func alike(_ name: String, _ outcome: Outcome, _ play: @escaping @Sendable (Wire) -> Void) -> Script {
    Script(name: name, preferred: outcome, required: outcome, play: play)
  }

  static func stripped(_ name: String, _ reason: Insecurity, _ play: @escaping @Sendable (Wire) -> Void) -> Script {
    Script(name: name, preferred: .open(isSecure: false), required: .ended(.insecure(reason)), play: play)
  }

  static let scripts: [Script] = [
    stripped("header without version", .oldVersion) { $0.feed(Header.pidgin) },
    stripped("version 0.9", .oldVersion) { $0.feed(Header.with(version: "0.9")) },
    stripped("no features at all", .noFeatures) { wire in
      wire.feed(Header.salutResponse)
      wire.wait(.milliseconds(999))
      #expect(wire.peers.isEmpty && wire.ends.isEmpty)
      wire.wait(.milliseconds(1))
    },
    stripped("features after more than a second", .noFeatures) { wire in
      wire.feed(Header.salutResponse)
      wire.wait(.seconds(1))
      wire.feed(Say.offersTLS)
    },
    stripped("a header at the last moment, then nothing", .noFeatures) { wire in
      wire.wait(.milliseconds(9500))
      wire.feed(Header.salutResponse)
      #expect(wire.deadlines.last == wire.now + .milliseconds(500))
      wire.wait(.milliseconds(500))
    },
    stripped("empty features", .notOffered) { $0.feed(Header.salutResponse + "<stream:features/>") },
    stripped("features without starttls", .notOffered) { $0.feed(Header.salutResponse + text(offered)) },
    stripped("starttls of another namespace", .notOffered) {
      $0.feed(Header.salutResponse + Say.features("<starttls xmlns='urn:x'/>"))
    },
    stripped("SASL instead of TLS", .notOffered) { $0.feed(Header.salutResponse + Say.offersExternal) },
    stripped("stanzas instead of features", .noFeatures) { $0.feed(Header.salutResponse + Say.message) },
    alike("an offer that is refused", .ended(.insecure(.refused))) { wire in
      wire.feed(Header.salutResponse + Say.requiresTLS)
      wire.feed(Say.tlsFailure + "</stream:stream>")
    },
    alike("an offer without an answer", .ended(.timedOut)) { wire in
      wire.feed(Header.salutResponse + Say.requiresTLS)
      wire.wait(.seconds(10))
    },
    alike("an offer, then the end", .ended(.closedByPeer(nil))) { wire in
      wire.feed(Header.salutResponse + Say.offersTLS)
      wire.feed("</stream:stream>")
    },
    alike("an offer, then a stream error", .ended(.closedByPeer(StreamError(.hostUnknown)))) { wire in
      wire.feed(Header.salutResponse + Say.offersTLS)
      wire.feed("<stream:error><host-unknown xmlns='\(Namespace.streamErrors)'/></stream:error>")
    },
    alike("a handshake that fails", .ended(.insecure(.handshake("bad certificate")))) { wire in
      wire.feed(Header.salutResponse + Say.offersTLS)
      wire.feed("\n" + Say.proceed)
      wire.failTLS("bad certificate")
    },
    alike("a handshake that never ends", .ended(.insecure(.handshake("it was not finished in time")))) { wire in
      wire.feed(Header.salutResponse + Say.offersTLS)
      wire.feed(Say.proceed)
      wire.wait(.seconds(10))
    },
    alike("the end in the handshake", .ended(.hungUp)) { wire in
      wire.feed(Header.salutResponse + Say.offersTLS)
      wire.feed(Say.proceed)
      wire.endInput()
    },
    alike("no header after TLS", .ended(.timedOut), secureThen { $0.wait(.seconds(10)) }),
    alike("no version after TLS", .open(isSecure: true), secureThen { $0.feed(Header.pidgin) }),
    alike(
      "no features after TLS", .open(isSecure: true),
      secureThen {
        $0.feed(Header.salutResponse)
        $0.wait(.seconds(1))
      }),
    alike("no SASL", .open(isSecure: true), secureThen { $0.feed(Header.salutResponse + text(offered)) }),
    alike(
      "no SASL that we know", .open(isSecure: true),
      secureThen { $0.feed(Header.salutResponse + Say.features(Say.mechanisms("PLAIN", "ANONYMOUS"))) }),
    alike("stanzas after TLS", .open(isSecure: true), secureThen { $0.feed(Header.salutResponse + Say.message) }),
    alike(
      "EXTERNAL among others", .open(isSecure: true),
      secureThen {
        $0.feed(Header.salutResponse + Say.features(Say.mechanisms("PLAIN", "EXTERNAL")))
        $0.feed(Say.success)
        $0.feed(Header.kaaResponse)
      }),
    alike(
      "a failure of SASL", .ended(.unauthorized(.notAuthorized)),
      secureThen { $0.feed(Header.salutResponse + Say.offersExternal + Say.saslFailure("not-authorized")) }),
    alike(
      "an unknown failure of SASL", .ended(.unauthorized(.notAuthorized)),
      secureThen { $0.feed(Header.salutResponse + Say.offersExternal + Say.saslFailure("dislike")) }),
    alike(
      "SASL without an answer", .ended(.timedOut),
      secureThen {
        $0.feed(Header.salutResponse + Say.offersExternal)
        $0.wait(.seconds(10))
      }),
    alike(
      "no header after SASL", .ended(.timedOut),
      secureThen {
        $0.feed(Header.salutResponse + Say.offersExternal)
        $0.feed(Say.success)
        $0.wait(.seconds(10))
      }),
  ]

  @Test(arguments: scripts, [TLSPolicy.preferred, .required])
  func whatComesOfIt(script: Script, tls: TLSPolicy) {
    let wire = Wire.initiator(tls: tls)
    script.play(wire)
    let expected = tls == .required ? script.required : script.preferred
    switch expected {
    case .open(let isSecure):
      #expect(wire.isOpen)
      #expect(wire.peers.map(\.key) == [isSecure ? romeosKey : nil])
      #expect(wire.deadlines.last == .some(nil))
    case .ended(let end):
      #expect(wire.ends == [end])
      #expect(wire.peers.isEmpty && wire.stanzas.isEmpty && wire.features.isEmpty)
      wire.expectOver()
    }
  }

  /// One in the middle gets our header, why we leave, and nothing else.
  @Test(arguments: scripts) func aStrippedOfferGetsNothing(script: Script) {
    guard case .ended(.insecure(let reason)) = script.required, !script.name.contains("handshake") else { return }
    let wire = Wire.initiator(tls: .required)
    script.play(wire)
    let error = StreamError(.policyViolation, reason.description)
    var farewell = ByteBuffer()
    farewell.write(error.element)
    let asked = reason == .refused ? Say.startTLS : ""
    #expect(wire.written == ownHeader + asked + String(buffer: farewell) + "</stream:stream>")
  }

  @Test func whatCameInsteadOfFeaturesIsNotLost() {
    let wire = Wire.initiator(tls: .preferred)
    wire.feed(Header.salutResponse + Say.message + Say.offersTLS + Say.message)
    #expect(wire.stanzas.count == 2)
    #expect(wire.features == [StreamFeatures(startTLS: .offered)], "too late to be acted on")
    #expect(!wire.written.contains("starttls"))
    #expect(wire.isOpen)
  }

  @Test func featuresInPlaintextAreToldWhereTheStreamStaysSo() {
    let wire = Wire.initiator(tls: .preferred)
    wire.feed(Header.salutResponse + text(offered))
    #expect(wire.features == [offered])
    #expect(wire.written == ownHeader + text(offered))
  }

  @Test func featuresInPlaintextAreNotBelievedWhereTLSFollows() {
    let wire = Wire.initiator(tls: .preferred)
    wire.feed(Header.salutResponse + text(offered.with(startTLS: .offered)))
    #expect(wire.features.isEmpty)
    #expect(wire.written == ownHeader + Say.startTLS)
  }

  @Test func withoutAPolicyOffersAreLeft() {
    let wire = Wire.initiator()
    wire.feed(Header.salutResponse + Say.requiresTLS)
    #expect(wire.isOpen)
    #expect(wire.written == ownHeader)
  }

  static let behindCommand: [(String, StreamError.Condition)] = [
    (Say.message, .notAuthorized), (Say.startTLS, .unsupportedStanzaType), (Say.offersTLS, .unsupportedStanzaType),
    (Say.success, .unsupportedStanzaType), ("<proceed xmlns='urn:x'/>", .unsupportedStanzaType),
    ("<message xmlns='urn:x'/>", .invalidNamespace), ("hi", .badFormat), ("</a>", .notWellFormed),
    (Say.proceed + Say.message, .policyViolation), (Say.proceed + "\n", .policyViolation),
    (Say.proceed + "\u{16}\u{3}\u{3}", .policyViolation), (Say.proceed + "<?xml version='1.0'?>", .policyViolation),
  ]

  @Test(arguments: behindCommand, [TLSPolicy.preferred, .required])
  func injectedPlaintextEndsIt(script: (bytes: String, condition: StreamError.Condition), tls: TLSPolicy) {
    let wire = Wire.initiator(tls: tls)
    wire.feed(Header.salutResponse + Say.offersTLS)
    wire.feed(script.bytes)
    #expect(wire.ends.map(\.condition) == [script.condition])
    #expect(wire.peers.isEmpty && wire.stanzas.isEmpty && !wire.actions.contains(.startTLS))
    wire.expectOver()
  }

  /// `<proceed/>` that came before it was asked for, with the features or without.
  @Test(arguments: [TLSPolicy.preferred, .required]) func anEarlyProceedEndsIt(tls: TLSPolicy) {
    let wire = Wire.initiator(tls: tls)
    wire.feed(Header.salutResponse + Say.proceed)
    #expect(wire.ends.map(\.condition) == [.unsupportedStanzaType])
    wire.expectOver()
  }

  @Test func whatIsSaidDuringSASLEndsIt() {
    for (bytes, condition) in [
      (Say.message, .notAuthorized), (Say.offersExternal, .unsupportedStanzaType),
      (Say.proceed, .unsupportedStanzaType),
      ("<challenge xmlns='\(Namespace.sasl)'/>", .unsupportedStanzaType), (Say.success + "\n", .policyViolation),
      (Say.success + Header.salutResponse, .policyViolation),
    ] as [(String, StreamError.Condition)] {
      let wire = Wire.initiator(tls: .required)
      Self.secureThen { $0.feed(Header.salutResponse + Say.offersExternal) }(wire)
      wire.feed(bytes)
      #expect(wire.ends.map(\.condition) == [condition])
      #expect(wire.peers.isEmpty && !wire.actions.contains(.restart))
      wire.expectOver()
    }
  }

  /// A failure of TLS that comes later, as when a record is forged.
  @Test func tlsMayFailLater() {
    let wire = Wire.initiator(tls: .required)
    Self.secureThen { $0.feed(Header.pidgin) }(wire)
    let before = wire.written
    wire.failTLS("bad record MAC")
    #expect(wire.ends == [.lost])
    #expect(wire.written == before)
    wire.expectOver()
  }
}
