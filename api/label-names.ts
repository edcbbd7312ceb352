/** What a label key and a label value may be (apimachinery validation), as lists of faults in upstream's words; empty: fine. */

const qualifiedNameMaxBytes = 63;
const subdomainMaxBytes = 253;
const labelValueMaxBytes = 63;

const qualifiedName = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

const qualifiedNameRule =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const labelValueRule =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

const tooLong = (maxBytes: number): string => `must be no more than ${maxBytes} bytes`;

/** Faults of a label or annotation key, taint key or resource name: `[prefix/]name`. */
export const qualifiedNameFaults = (text: string): readonly string[] => {
  const parts = text.split('/');
  if (parts.length > 2)
    return [
      `a qualified name ${qualifiedNameRule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  const faults: string[] = [];
  const name = parts[parts.length - 1] ?? '';
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') faults.push('prefix part must be non-empty');
    else faults.push(...subdomainFaults(prefix).map(fault => `prefix part ${fault}`));
  }
  if (name === '') faults.push('name part must be non-empty');
  else if (name.length > qualifiedNameMaxBytes) faults.push(`name part ${tooLong(qualifiedNameMaxBytes)}`);
  if (!qualifiedName.test(name)) faults.push(`name part ${qualifiedNameRule}`);
  return faults;
};

/** Faults of a label value. */
export const labelValueFaults = (text: string): readonly string[] => {
  const faults: string[] = [];
  if (text.length > labelValueMaxBytes) faults.push(tooLong(labelValueMaxBytes));
  if (!labelValue.test(text)) faults.push(labelValueRule);
  return faults;
};

/** Faults of an RFC 1123 subdomain, such as most object names. */
export const subdomainFaults = (text: string): readonly string[] => {
  const faults: string[] = [];
  if (text.length > subdomainMaxBytes) faults.push(tooLong(subdomainMaxBytes));
  if (!subdomain.test(text)) faults.push(subdomainRule);
  return faults;
};
