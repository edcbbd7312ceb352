/** Which taints a pod tolerates (core/v1 Toleration.ToleratesTaint, SEMANTICS F.5). */

export interface TaintView {
  readonly key: string;
  readonly value?: string | undefined;
  readonly effect: string;
}

export interface TolerationView {
  readonly key?: string | undefined;
  readonly operator?: string | undefined;
  readonly value?: string | undefined;
  readonly effect?: string | undefined;
}

export interface TolerationOptions {
  /** Allows the operators Lt and Gt (upstream's feature gate TaintTolerationComparisonOperators, off by default). */
  readonly comparison?: boolean;
}

/** Empty effect or key means any; the operator defaults to Equal; an unknown operator tolerates nothing. */
export const tolerates = (toleration: TolerationView, taint: TaintView, options: TolerationOptions = {}): boolean => {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  switch (toleration.operator ?? '') {
    case '':
    case 'Equal':
      return (toleration.value ?? '') === (taint.value ?? '');
    case 'Exists':
      return true;
    case 'Lt':
      return options.comparison === true && compare(taint.value, toleration.value, (a, b) => a < b);
    case 'Gt':
      return options.comparison === true && compare(taint.value, toleration.value, (a, b) => a > b);
    default:
      return false;
  }
};

/** The first taint of one of `effects` that no toleration tolerates, in list order. */
export const findUntolerated = <T extends TaintView>(
  taints: readonly T[] | undefined,
  tolerations: readonly TolerationView[] | undefined,
  effects: readonly string[],
  options: TolerationOptions = {},
): T | undefined =>
  taints?.find(
    taint => effects.includes(taint.effect) && !tolerations?.some(toleration => tolerates(toleration, taint, options)),
  );

const compare = (
  taintValue: string | undefined,
  tolerationValue: string | undefined,
  holds: (taint: bigint, toleration: bigint) => boolean,
): boolean => {
  const taint = strictInteger(taintValue ?? '');
  const toleration = strictInteger(tolerationValue ?? '');
  return taint !== undefined && toleration !== undefined && holds(taint, toleration);
};

/** A decimal int64 without sign `+` or leading zeros; anything else does not compare. */
const strictInteger = (text: string): bigint | undefined => {
  if (text.length > 20 || !/^(?:0|-?[1-9][0-9]*)$/.test(text)) return undefined;
  const value = BigInt(text);
  return value === BigInt.asIntN(64, value) ? value : undefined;
};
