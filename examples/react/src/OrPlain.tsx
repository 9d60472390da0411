import { Component, type ReactNode } from "react";

interface Props {
  /** What is shown instead. */
  plain: ReactNode;
  children: ReactNode;
}

/** Shows its children, or something plain where they fail: without it, React would take the whole page away. */
export class OrPlain extends Component<Props, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError = () => ({ hasFailed: true });

  override render(): ReactNode {
    return this.state.hasFailed ? this.props.plain : this.props.children;
  }
}
