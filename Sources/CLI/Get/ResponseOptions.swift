import ArgumentParser

/// What `hearth get` does with the answer; a property for each option, as ArgumentParser wants.
struct ResponseOptions: ParsableArguments {
  @Option(
    name: [.customShort("o"), .customLong("output")], parsing: .unconditional,
    help: ArgumentHelp("Write the body to a file; - is standard output, binary or not.", valueName: "file"),
    completion: .file())
  var output: String?
  @Flag(
    name: [.customShort("O"), .customLong("remote-name")],
    help: "Write the body to a file that is called as the last part of the address.")
  var remoteName = false
  @Option(
    name: [.customShort("C"), .customLong("continue-at")], parsing: .unconditional,
    help: ArgumentHelp("Fetch what is missing behind so many bytes; - where the file ends.", valueName: "offset"))
  var continueAt: String?
  @Flag(name: [.customShort("L"), .customLong("location")], help: "Follow redirects, to other devices as well.")
  var location = false
  @Flag(name: [.customShort("i"), .customLong("include")], help: "Also write the head of the response.")
  var include = false
  @Flag(name: [.customShort("I"), .customLong("head")], help: "Ask for the head only, and write that.")
  var headOnly = false
  @Flag(name: [.customShort("f"), .customLong("fail")], help: "For HTTP 400 and above: no body, exit status 22.")
  var fail = false
  @Flag(name: [.customShort("s"), .customLong("silent")], help: "No progress bar, and no errors.")
  var silent = false
  @Flag(name: [.customShort("S"), .customLong("show-error")], help: "With -s: errors all the same.")
  var showError = false
  @Flag(
    name: [.customShort("v"), .customLong("verbose")],
    help: "Tell of the device, both heads, and times on standard error.")
  var verbose = false
  @Option(
    name: [.customShort("c"), .customLong("cookie-jar")], parsing: .unconditional,
    help: ArgumentHelp(
      "Write all cookies to a file at the end, that -b reads; - is standard output.", valueName: "file"),
    completion: .file())
  var cookieJar: String?
  @Option(
    name: [.customShort("w"), .customLong("write-out")], parsing: .unconditional,
    help: ArgumentHelp(
      "Print at the end, with %{http_code}, %{size_download}, %{time_total} and the like, and %header{name}.",
      valueName: "format"))
  var writeOut: String?
  @Option(
    name: [.customShort("m"), .customLong("max-time")],
    help: ArgumentHelp("Give up after this time.", valueName: "seconds"))
  var maxTime: Double?

  /// Throws `ValidationError`.
  func check() throws {
    if let maxTime, !(maxTime > 0 && maxTime < 1e9) { throw ValidationError("--max-time must be a number above 0") }
    if output != nil, remoteName { throw ValidationError("say either -o or -O") }
    guard let continueAt else { return }
    guard continueAt == "-" || Int(continueAt).map({ $0 >= 0 }) == true else {
      throw ValidationError("“\(continueAt)” is no number of bytes: write -C - to go on where the file ends")
    }
    guard output != nil && output != "-" || remoteName else {
      throw ValidationError("-C goes on with a file: say -O or -o FILE as well")
    }
  }
}
