// swift-tools-version:6.2
import PackageDescription

/// With HEARTH_FUZZ set, the package is a program for libFuzzer instead (see below, and scripts/fuzz).
let isFuzzing = Context.environment["HEARTH_FUZZ"] != nil

/// One set of rules for all our code; `scripts/arrows` tells of a wrong import between targets.
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .treatAllWarnings(as: .error),
]

/// Tests follow the same rules, except that imports need no access level there.
let testSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .treatAllWarnings(as: .error),
]

extension Target.Dependency {
  static let argumentParser = product(name: "ArgumentParser", package: "swift-argument-parser")
  static let collections = product(name: isFuzzing ? "DequeModule" : "Collections", package: "swift-collections")
  static let httpTypes = product(name: "HTTPTypes", package: "swift-http-types")
  static let lifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
  static let unixSignals = product(name: "UnixSignals", package: "swift-service-lifecycle")
  static let log = product(name: "Logging", package: "swift-log")
  static let nio = product(name: "NIOCore", package: "swift-nio")
  static let nioEmbedded = product(name: "NIOEmbedded", package: "swift-nio")
  static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
  static let toml = product(name: "TOMLKit", package: "TOMLKit")
}

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(of name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: [.init(stringLiteral: name), "TestKit"] + dependencies,
    swiftSettings: testSettings)
}

let package = Package(
  name: "hearth",
  products: [.executable(name: "hearth", targets: ["CLI"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    // System libraries.
    .systemLibrary(name: "CXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CMalloc"),
    .systemLibrary(name: "CBase64"),
    .systemLibrary(name: "CAvahi", pkgConfig: "avahi-client", providers: [.apt(["libavahi-client-dev"])]),
    .systemLibrary(name: "CResolver"),

    // Pure: no socket, no clock, no task, no log.
    library("Codecs", ["CBase64", .httpTypes, .nio]),
    library("XML", ["Codecs", "CXML2", .nio]),
    library("XMPP", ["Codecs", "XML", .nio]),
    library("Bytestreams", ["Codecs", "XML", "XMPP", .nio, .collections]),
    library("HTTPX", ["Codecs", "XML", "XMPP", "Bytestreams", .httpTypes, .nio]),
    library("LinkLocal", ["XMPP"]),
    library("Trust", ["Codecs", "XML", "XMPP"]),

    // Input and output.
    library("EventLoops", [.nio, .collections]),
    library("TLS", ["COpenSSL", .nio]),
    library("Avahi", ["CAvahi", "LinkLocal", .log]),
    library(
      "Streams",
      [
        "Codecs", "EventLoops", "XML", "XMPP", "HTTPX", "Bytestreams", "TLS", "Trust", .collections, .nio, .nioPosix,
        .log, .httpTypes,
      ]),
    library(
      "Mesh",
      [
        "Bytestreams", "Codecs", "EventLoops", "Streams", "HTTPX", "LinkLocal", "TLS", "Trust", "XML", "XMPP",
        .lifecycle, .log, .httpTypes,
        .nio,
        .nioPosix,
      ]),
    library(
      "Account",
      [
        "CResolver", "Codecs", "EventLoops", "Mesh", "Streams", "TLS", "XML", "XMPP", .collections, .log, .nio,
        .nioPosix,
      ]),
    library(
      "HTTPEdge",
      [
        "Codecs", "EventLoops", "TLS", .collections, .nio, .nioPosix, .httpTypes, .log,
        .lifecycle,
      ]),
    library(
      "Front", ["Codecs", "HTTPEdge", "HTTPX", "Mesh", "XMPP", .httpTypes, .log, .lifecycle, .nio]),
    library(
      "Dashboard",
      ["Codecs", "Front", "HTTPEdge", "HTTPX", "Mesh", "Trust", "XMPP", .httpTypes, .log, .nio]),
    library("Origins", ["Codecs", "HTTPEdge", "HTTPX", "Mesh", "TLS", "Trust", "XMPP", .httpTypes, .nio, .nioPosix]),
    library(
      "Control",
      [
        "Codecs", "EventLoops", "Front", "HTTPEdge", "LinkLocal", "Mesh", "Trust", "XMPP", .httpTypes,
        .log, .lifecycle, .nio,
      ]),
    library(
      "Daemon",
      [
        "Account", "Avahi", "CMalloc", "Codecs", "Control", "Dashboard", "Front", "HTTPEdge", "HTTPX", "LinkLocal",
        "Mesh",
        "Origins",
        "TLS", "Trust", "XMPP", .lifecycle, .unixSignals, .log, .toml, .nio, .nioPosix,
      ]),
    .executableTarget(
      name: "CLI",
      dependencies: [
        "Avahi", "Codecs", "Control", "Daemon", "Dashboard", "Front", "HTTPEdge", "HTTPX", "LinkLocal", "Trust", "XMPP",
        .argumentParser,
        .unixSignals,
        .log, .httpTypes, .nio, .nioPosix,
      ],
      swiftSettings: settings),

    // Tests.
    .target(
      name: "TestKit",
      dependencies: [
        "Codecs", "COpenSSL", "Dashboard", "Front", "HTTPX", "LinkLocal", "Mesh", "Streams", "TLS", "Trust", "XMPP",
        .httpTypes,
        .log, .nio,
        .nioEmbedded, .nioPosix,
      ],
      path: "Tests/TestKit",
      swiftSettings: settings),
    tests(of: "Codecs", [.httpTypes, .nio]),
    tests(of: "XML", [.nio]),
    tests(of: "XMPP", ["XML", .nio]),
    tests(of: "Bytestreams", ["Codecs"]),
    tests(of: "HTTPX", ["Bytestreams", "Codecs", "XML", "XMPP", .httpTypes, .nio]),
    tests(of: "LinkLocal"),
    tests(of: "Trust", ["XML", "XMPP"]),
    tests(of: "TLS", ["COpenSSL", .nio, .nioEmbedded, .nioPosix]),
    tests(of: "Avahi", ["LinkLocal", .log]),
    tests(
      of: "Streams",
      [
        "Bytestreams", "Codecs", "EventLoops", "HTTPX", "TLS", "Trust", "XML", "XMPP", .httpTypes, .log, .nio,
        .nioEmbedded,
        .nioPosix,
      ]),
    tests(
      of: "Mesh",
      [
        "CMalloc", "Codecs", "EventLoops", "HTTPEdge", "HTTPX", "LinkLocal", "Origins", "Streams", "TLS", "Trust",
        "XMPP",
        .httpTypes, .nio, .nioEmbedded, .nioPosix,
      ]),
    tests(of: "Account", ["Codecs", "Mesh", "TLS", "XML", "XMPP", .log, .nio, .nioPosix]),
    tests(of: "HTTPEdge", ["Codecs", "TLS", .nio, .nioEmbedded, .nioPosix, .httpTypes, .log, .lifecycle]),
    tests(
      of: "Dashboard",
      ["Codecs", "Front", "HTTPEdge", "HTTPX", "Mesh", "TLS", "Trust", "XMPP", .httpTypes, .nio, .nioPosix]),
    tests(
      of: "Front",
      [
        "Codecs", "Dashboard", "EventLoops", "HTTPEdge", "HTTPX", "Mesh", "TLS", "Trust", "XMPP", .httpTypes, .log,
        .nio,
        .nioPosix,
      ]),
    tests(
      of: "Origins",
      [
        "Codecs", "HTTPEdge", "HTTPX", "Mesh", "TLS", "Trust", "XMPP", .nio, .nioPosix, .httpTypes, .log,
      ]),
    tests(of: "Control", ["Codecs", "HTTPEdge", "TLS", "Trust", .httpTypes, .nio, .nioEmbedded]),
    tests(of: "Daemon", ["Account", "Control", "HTTPX", "Mesh", "TLS", "Trust", .log, .nio, .nioPosix]),
    tests(
      of: "CLI",
      [
        "Avahi", "Control", "Daemon", "HTTPEdge", "HTTPX", "Mesh", "TLS", "Trust", "XMPP", .argumentParser, .lifecycle,
        .log,
        .httpTypes, .nio, .nioPosix,
      ]),
  ]
)

/// Of the modules that read what others send, and of no more: built with libFuzzer's instruments, outside the product.
if isFuzzing {
  let pure: Set = ["Codecs", "XML", "XMPP", "Bytestreams", "HTTPX", "LinkLocal", "Trust"]
  package.products = []
  package.targets.removeAll { $0.type != .system && !pure.contains($0.name) }
  package.targets += [
    // Of the edges what reads, writes and decides; sockets stay outside.
    .target(
      name: "HTTPEdge", dependencies: ["Codecs", .collections, .httpTypes, .nio],
      sources: [
        "BodyReader.swift", "DuplexEnd.swift", "Framing.swift", "HTTPMessageError.swift", "HeadReader.swift",
        "HopByHop.swift", "Limits.swift", "MessageEncoder.swift", "RequestReader.swift", "ResponseReader.swift",
        "ServerMachine.swift",
      ]),
    .target(
      name: "Front", dependencies: ["Codecs", "HTTPX", "XMPP", .httpTypes],
      sources: [
        "DeviceLabel.swift", "DeviceOrigin.swift", "FrontAddress.swift", "FrontLimits.swift", "HostGate.swift",
        "KnownNames.swift",
      ]),
    .executableTarget(
      name: "Fuzz",
      dependencies: [
        "Bytestreams", "Codecs", "Front", "HTTPEdge", "HTTPX", "LinkLocal", "Trust", "XML", "XMPP", .httpTypes, .nio,
      ],
      path: "Tests/Fuzz", exclude: ["Seeds"],
      // The linker that is the default cannot read what the sanitizers leave for debuggers.
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]),
  ]
  for target in package.targets where target.type != .system {
    target.swiftSettings = settings + [.unsafeFlags(["-enable-testing", "-sanitize=fuzzer,address"])]
  }
}
