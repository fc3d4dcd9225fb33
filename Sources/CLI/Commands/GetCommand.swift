import ArgumentParser
import HTTPTypes

/// `hearth get`; a property for each option, as ArgumentParser wants.
struct GetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Fetch from a device, as curl would.",
    discussion: """
      The body goes to standard output, byte for byte. Exit status: 0; with --fail 22 for HTTP 400 and above; 6 no such
      device; 7 its node refuses or is away; 8 its app does not answer (the body says why), or it speaks no HTTP; 9 it does
      not let us in; 18 the body ended too early; 28 timed out; 56 the connection broke; 60 it shows another key than
      before; 69 no daemon.

      Examples:
        hearth get httpx://thermostat@pi/
        hearth get thermostat@pi/api/state -X PUT -H 'Content-Type: application/json' -d '{"target": 22.5}'
        hearth get thermostat@pi/large -o large.bin
        hearth get thermostat@pi/upload -d @photo.jpg
      """)

  @Argument(help: "An httpx URI, or user@machine/path.", completion: .custom(DeviceCompletion.candidates))
  var uri: String
  @Option(
    name: [.customShort("X", allowingJoined: true), .customLong("request")],
    help: ArgumentHelp("The method. Default: GET, POST with data.", valueName: "method"))
  var method: String?
  @Option(
    name: [.customShort("H", allowingJoined: true), .customLong("header")], parsing: .unconditionalSingleValue,
    help: ArgumentHelp("A header field; `Name:` leaves out a default one.", valueName: "name: value"))
  var headers: [String] = []
  @Option(
    name: [.customShort("d"), .customLong("data")], parsing: .unconditional,
    help: ArgumentHelp("The body, byte for byte; @FILE reads a file, @- standard input.", valueName: "data"))
  var data: String?
  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp("Write the body to a file.", valueName: "file"), completion: .file())
  var output: String?
  @Flag(name: [.customShort("i"), .customLong("include")], help: "Also write the head of the response.")
  var include = false
  @Flag(name: [.customShort("I"), .customLong("head")], help: "Ask for the head only, and write that.")
  var headOnly = false
  @Flag(name: [.customShort("f"), .customLong("fail")], help: "For HTTP 400 and above: no body, exit status 22.")
  var fail = false
  @Flag(name: [.customShort("s"), .customLong("silent")], help: "No progress bar.")
  var silent = false
  @Option(
    name: [.customShort("m"), .customLong("max-time")],
    help: ArgumentHelp("Give up after this time.", valueName: "seconds"))
  var maxTime: Double?
  @OptionGroup var client: ClientOptions

  func validate() throws {
    if headOnly, data != nil { throw ValidationError("-I asks for a head only; it cannot be used with -d.") }
    if let maxTime, !(maxTime > 0 && maxTime < 1e9) { throw ValidationError("--max-time must be a number above 0.") }
  }

  func run() async throws {
    let body = try data.map { try UploadBody($0) }
    let head = try RequestHead.make(
      DeviceAddress.parse(uri), method: method, fields: headers, hasBody: body != nil, headOnly: headOnly)
    let toFile = output.flatMap { $0 == "-" ? nil : $0 }
    let transfer = Transfer(
      head: head, body: body, output: toFile, showsHead: include || headOnly, failsOnError: fail,
      showsProgress: !silent && Terminal.errorIsTerminal && (toFile != nil || !Terminal.outputIsTerminal),
      client: client.client)
    try await transfer.run(maxTime: maxTime.map { .seconds($0) })
  }
}
