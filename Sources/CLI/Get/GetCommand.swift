import ArgumentParser

struct GetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Fetch from a device, as curl would.",
    discussion: HelpText.unwrapped(
      """
      The body goes to standard output, byte for byte; what is no text is not shown on a terminal, unless -o - says so. The
      options are curl's. For exit statuses see `hearth help exit-statuses`: 22 with --fail where HTTP says 400 or more, 6 no such
      device, 7 its node is away, 8 its app does not answer, 9 it does not let us in, 28 timed out.

      Examples:
        hearth get thermostat/api/state
        hearth get httpx://thermostat@pi/api/state -X PUT --json '{"target": 22.5}'
        hearth get photos@nas/summer/sea.mp4 -O -C -      the rest of it, where some is there
        hearth get notes@pi/ -T notes.txt
        hearth get wiki@pi/upload -F page=Home -F file=@photo.jpg
        hearth get wiki@pi/search -G --data-urlencode 'q=a & b'
        hearth get wiki@pi/login -L -c cookies -d name=anna -d password=…
        hearth get thermostat@pi -s -o /dev/null -w '%{http_code} %{time_total}\\n'
      """))

  @Argument(help: ArgumentHelp(DeviceAddress.help), completion: Completion.devices)
  var uri: String
  @OptionGroup(title: "What is asked") var request: RequestOptions
  @OptionGroup(title: "What becomes of the answer") var response: ResponseOptions
  @OptionGroup var client: ClientOptions

  /// Short options without a value, and those with one.
  private static let flags = Set("fGiILOsSv")
  private static let valued = Set("bcCdFHmorTuwX")

  /// Takes apart `-sLo file`, `-d'{"a": 1}'` and the like, as curl does: the parser takes a value with `=` in it for that of a long
  /// option, and wants each option with a value by itself.
  static func separated(_ arguments: [String]) -> [String] {
    guard arguments.first == configuration.commandName else { return arguments }
    var result: [String] = []
    var isValue = false
    for argument in arguments {
      let options = isValue ? nil : options(argument)
      result += options?.words ?? [argument]
      isValue = options?.wantsValue ?? false
    }
    return result
  }

  /// nil where it is no cluster of short options.
  private static func options(_ argument: String) -> (words: [String], wantsValue: Bool)? {
    guard argument.hasPrefix("-"), !argument.hasPrefix("--") else { return nil }
    var words: [String] = []
    var rest = argument.dropFirst()
    while let letter = rest.popFirst() {
      if valued.contains(letter) {
        return (words + (rest.isEmpty ? ["-\(letter)"] : ["-\(letter)", String(rest)]), rest.isEmpty)
      }
      guard flags.contains(letter) else { return nil }
      words.append("-\(letter)")
    }
    return words.isEmpty ? nil : (words, false)
  }

  func validate() throws {
    try request.check(isHead: response.headOnly)
    try response.check()
  }

  func run() async throws {
    let client = client.client
    do {
      let uri = try await DeviceAddress.parse(uri).resolved(by: client)
      let outgoing = try await request.request(to: uri, wantsHead: response.headOnly)
      let transfer = try Transfer(outgoing, response, jar: request.jar, client: client)
      try await transfer.run()
    } catch let failure as CommandFailure where response.silent && !response.showError && failure.status != .usage {
      throw ExitCode(failure.status.rawValue)
    }
  }
}
