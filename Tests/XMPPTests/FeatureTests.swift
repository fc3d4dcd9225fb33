import NIOCore
import Testing
import XML
import XMPP

@Suite struct FeatureTests {
  /// XEP-0174 §10.
  @Test func theExampleOfSomeoneElse() throws {
    let features = StreamFeatures(
      try element(
        """
        <stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>\(DiscoInfoTests.exodus)
        </stream:features>
        """))
    #expect(features.startTLS == .required)
    #expect(features.info?.verification() == "QgayPKawpkPSDYmwT/WM94uAlu0=")
    #expect(features.limits == nil && features.mechanisms.isEmpty && !features.isHearth)
  }

  /// XEP-0478 §3.1.
  @Test func theExampleWithLimits() throws {
    let features = StreamFeatures(
      try element(
        """
        <stream:features>
          <mechanisms xmlns="urn:ietf:params:xml:ns:xmpp-sasl">
            <mechanism>SCRAM-SHA-1</mechanism>
            <mechanism>PLAIN</mechanism>
          </mechanisms>
          <limits xmlns="urn:xmpp:stream-limits:0">
            <max-bytes>10000</max-bytes>
            <idle-seconds>1800</idle-seconds>
          </limits>
        </stream:features>
        """))
    #expect(features.mechanisms == ["SCRAM-SHA-1", "PLAIN"])
    #expect(features.limits == StreamLimits(maxBytes: 10000, idleSeconds: 1800))
    #expect(features.startTLS == .none)
  }

  /// kaa's own child of `<starttls/>`, and a feature nobody knows.
  @Test func unknownFeaturesAreIgnored() throws {
    let features = StreamFeatures(
      try element(
        "<stream:features><starttls xmlns='\(Namespace.tls)'><offer xmlns='urn:xmpp:tmp:c2ctls'/></starttls><a xmlns='b'/></stream:features>"
      ))
    #expect(features == StreamFeatures(startTLS: .offered))
  }

  @Test(arguments: ["", "0", "-5", "many", "99999999999999999999"]) func limitsAreNumbers(text: String) throws {
    let limits = try element("<limits xmlns='\(Namespace.streamLimits)'><max-bytes>\(text)</max-bytes></limits>")
    #expect(StreamLimits(limits) == StreamLimits())
  }

  @Test(arguments: [
    StreamFeatures(), offered, StreamFeatures(startTLS: .offered, mechanisms: ["EXTERNAL"]),
    StreamFeatures(startTLS: .required, limits: StreamLimits(maxBytes: 1)),
  ])
  func whatIsWrittenIsRead(features: StreamFeatures) throws {
    var buffer = ByteBuffer()
    buffer.write(features.element)
    #expect(StreamFeatures(try element(String(buffer: buffer))) == features)
  }

  @Test func ourOwnAreHearths() {
    #expect(offered.isHearth)
    #expect(!StreamFeatures().isHearth)
  }
}

@Suite struct HeaderTests {
  @Test func valuesAreEscaped() throws {
    var buffer = ByteBuffer()
    buffer.write(StreamHeader(from: JID("o'neil & <co>@host"), id: "\"", version: nil))
    #expect(
      String(buffer: buffer).hasSuffix(" from='o&apos;neil &amp; &lt;co&gt;@host' id='&quot;'>"))
  }

  @Test func whatIsWrittenIsRead() throws {
    let header = StreamHeader(from: JID("o'neil #2@host"), to: juliet, id: "x", version: .xmpp1)
    var buffer = ByteBuffer()
    buffer.write(header)
    buffer.writeStreamEnd()
    var events: [XMLEvent] = []
    try XMLReader(limits: .negotiating).feed(buffer) { events.append($0) }
    guard case .opened(let root) = events.first else {
      Issue.record("no root")
      return
    }
    #expect(try StreamHeader(root) == header)
    #expect(events.last == .closed)
  }

  @Test func versionsCompareAsNumbers() {
    #expect(StreamHeader.Version(major: 1, minor: 9) < StreamHeader.Version(major: 1, minor: 10))
    #expect(StreamHeader.Version(major: 0, minor: 9) < .xmpp1)
  }
}

@Suite struct PayloadTests {
  /// XEP-0092 §3.
  @Test func softwareVersions() throws {
    let query = try element(
      "<query xmlns='jabber:iq:version'><name>Exodus</name><version>0.7.0.4</version><os>Windows-XP 5.01.2600</os></query>"
    )
    let version = SoftwareVersion(name: "Exodus", version: "0.7.0.4", os: "Windows-XP 5.01.2600")
    #expect(SoftwareVersion(query) == version)
    #expect(version.query == query)
    #expect(SoftwareVersion(SoftwareVersion.request) == nil)
    #expect(SoftwareVersion(Ping.request) == nil)
    #expect(SoftwareVersion(SoftwareVersion(name: "a", version: "b").query)?.os == nil)
  }

  /// XEP-0199 §4.
  @Test func pings() throws {
    #expect(try element("<ping xmlns='urn:xmpp:ping'/>") == Ping.request)
  }
}
