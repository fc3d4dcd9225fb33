import Glibc

/// The program that libFuzzer runs: one target a process, by the name in `HEARTH_FUZZ_TARGET`; its arguments are libFuzzer's.
@main enum Fuzz {
  private static let targets: [FuzzTarget] = [
    .xml, .stream, .httpOverXMPP, .transfers, .txt, .uri, .labels, .base64, .pairing, .friends, .http,
  ]

  private static let chosen = targets.first { $0.name == getenv("HEARTH_FUZZ_TARGET").map { String(cString: $0) } }

  static func main() {
    guard let target = chosen else {
      print("HEARTH_FUZZ_TARGET is one of: \(targets.map(\.name).joined(separator: " "))")
      exit(64)
    }
    // The first one counts less than those behind it: what the command line says of it holds.
    var arguments = CommandLine.arguments
    arguments.insert("-max_len=\(target.longest)", at: 1)
    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    var argc = CInt(arguments.count)
    argv.withUnsafeMutableBufferPointer { buffer in
      var base = buffer.baseAddress!
      exit(
        runDriver(&argc, &base) { bytes, count in
          Fuzz.chosen!.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
          return 0
        })
    }
  }
}

/// libFuzzer as a library, which is linked by `-sanitize=fuzzer`.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ argc: UnsafeMutablePointer<CInt>, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt
